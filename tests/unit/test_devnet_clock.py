"""What time the next block gets."""

from capshare.devnet.clock import Clock


def test_virtual_clock_adds_a_second_a_block() -> None:
    clock = Clock(virtual=True)
    assert clock.time_after(100) == 101


def test_virtual_clock_spends_an_advance_on_one_block() -> None:
    clock = Clock(virtual=True)
    assert clock.advance(60, 100) == 60
    assert clock.advance(40, 100) == 100
    assert clock.time_after(100) == 201
    clock.sealed(201)
    assert clock.time_after(201) == 202


def test_running_clock_keeps_an_advance() -> None:
    wall = [1000.0]
    clock = Clock(virtual=False, now=lambda: wall[0])
    clock.advance(60, 10)
    assert clock.time_after(10) == 1060
    clock.sealed(1060)
    wall[0] += 5
    assert clock.time_after(1060) == 1065


def test_running_clock_advances_from_a_chain_that_is_ahead_of_it() -> None:
    clock = Clock(virtual=False, now=lambda: 1000.0)
    clock.advance(60, 1005)
    assert clock.time_after(1005) == 1065


def test_running_clock_never_stands_still_between_blocks() -> None:
    clock = Clock(virtual=False, now=lambda: 1000.0)
    assert clock.time_after(1000) == 1001
    assert clock.time_after(5000) == 5001


def test_named_time_is_used_once_and_time_goes_on_from_it() -> None:
    wall = [1000.0]
    clock = Clock(virtual=False, now=lambda: wall[0])
    clock.set_next(9000)
    assert not clock.flows
    assert clock.time_after(1000) == 9000
    clock.sealed(9000)
    assert clock.flows
    wall[0] += 7
    assert clock.time_after(9000) == 9007


def test_advance_moves_a_named_time_too() -> None:
    clock = Clock(virtual=True)
    clock.set_next(500)
    clock.advance(10, 100)
    assert clock.time_after(100) == 510


def test_reading_brings_a_clock_back() -> None:
    clock = Clock(virtual=True)
    clock.advance(60, 100)
    reading = clock.reading()
    clock.set_next(5000)
    clock.sealed(5000)
    clock.restore(reading)
    assert clock.time_after(100) == 161
