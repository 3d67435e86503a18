"""`capshare deploy`, as a developer and as a consortium's operator type it."""

import json

import pytest
from eth_account import Account

from capshare.cli import main
from capshare.devnet import accounts_of
from capshare.devnet.engine import Plan, down
from capshare.devnet.engines import engine_named


@pytest.fixture(scope="module")
def devnet(tmp_path_factory):
    directory = tmp_path_factory.mktemp("devnet")
    running = engine_named("embedded").up(Plan(directory=directory, port=0))
    yield directory, running.url
    down(directory)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CAPSHARE_HOME", str(tmp_path))

    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(["deploy", *map(str, arguments)])
        captured = capsys.readouterr()
        return caught.value.code or 0, captured.out, captured.err

    return call


@pytest.fixture
def plan_file(devnet, tmp_path):
    directory, _ = devnet
    account = accounts_of(directory)[5].address
    path = tmp_path / "plan.toml"
    path.write_text(
        f"""
parameters = "production"
validators = ["{account}"]
[token]
name = "Euro (test)"
symbol = "EUR"
decimals = 3
[[founders]]
account = "{account}"
name = "宁德精工有限公司"
identity = "uscc:91350100M000100Y43"
roles = ["council", "trader"]
""",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def keystore(devnet, tmp_path):
    directory, _ = devnet
    path = tmp_path / "key.json"
    key = accounts_of(directory)[6].key
    path.write_text(json.dumps(Account.encrypt(key, "secret", kdf="pbkdf2", iterations=2)))
    path.chmod(0o600)
    password = tmp_path / "password"
    password.write_text("secret\n")
    password.chmod(0o600)
    return ("--keystore", path, "--password-file", password)


@pytest.mark.slow
def test_devnet_deployment_then_verification(devnet, run):
    directory, rpc = devnet
    flags = ("--devnet", "--dir", directory, "--rpc", rpc, "--name", "first")

    code, out, err = run(*flags, "--dry-run")
    assert (code, out) == (0, "")
    assert "MemberRegistry" in err
    assert "nothing was sent" in err

    code, out, err = run(*flags)
    assert code == 7  # nobody can answer
    assert "--yes" in err

    code, out, err = run(*flags, "--yes", "--json")
    assert code == 0, err
    book = json.loads(out)
    assert book["schema"] == "capshare.deployment/1"
    assert len(book["addresses"]) == 8

    code, out, err = run(*flags, "--dry-run")
    assert code == 0
    assert "finished or verified" in err

    code, out, err = run(*flags, "--yes")
    assert code == 0
    assert out.splitlines()[0] == "contract\taddress"
    assert len(out.splitlines()) == 10

    code, out, err = run("verify", "--rpc", rpc, "--name", "first")
    assert (code, out) == (0, "")
    assert "is what its book says" in err


@pytest.mark.slow
def test_planned_deployment_by_a_keystore(devnet, run, plan_file, keystore):
    _, rpc = devnet
    code, out, err = run("--plan", plan_file, *keystore, "--rpc", rpc, "--yes", "--json")
    assert code == 0, err
    book = json.loads(out)
    assert book["founders"][0]["name"] == "宁德精工有限公司"
    assert book["parameters"]["round"] == 3600
    assert "secret" not in out + err


@pytest.mark.slow
def test_verification_of_a_changed_book_exits_10(devnet, run, tmp_path):
    directory, rpc = devnet
    code, _, err = run("--devnet", "--dir", directory, "--rpc", rpc, "--name", "other", "--yes")
    assert code == 0, err
    (path,) = tmp_path.glob("deployments/*/other.json")
    book = json.loads(path.read_text())
    book["parameters"]["round"] = 11
    path.write_text(json.dumps(book))
    code, out, err = run("verify", "--rpc", rpc, "--name", "other", "--json")
    assert code == 10
    assert any("_round" in each for each in json.loads(out)["differences"])
    assert "Do not use" in err


def test_unknown_deployment_exits_6(devnet, run):
    _, rpc = devnet
    code, _, err = run("verify", "--rpc", rpc, "--name", "nobody")
    assert code == 6
    assert "capshare deploy" in err


def test_node_that_does_not_answer_exits_3(devnet, run):
    directory, _ = devnet
    code, _, err = run("--devnet", "--dir", directory, "--rpc", "http://127.0.0.1:9", "--yes")
    assert code == 3
    assert "devnet up" in err


def test_neither_plan_nor_devnet_exits_2(run):
    code, _, err = run("--rpc", "http://127.0.0.1:9")
    assert code == 2
    assert "--devnet" in err


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        (lambda t: "= [", 2, "no TOML"),
        (lambda t: "extra = 1\n" + t, 2, "unknown keys: extra"),
        (lambda t: t.replace('symbol = "EUR"', ""), 2, "lacks 'symbol'"),
        (lambda t: t.replace('"council"', '"king"'), 2, "role 'king'"),
        (lambda t: t.replace("decimals = 3", "decimals = 99"), 2, "needs decimals"),
        (lambda t: t.replace('"production"', '"none"'), 6, "no parameter set or file"),
        (lambda t: t.replace('account = "0x', 'account = "1x'), 2, "is no address"),
    ],
)
def test_wrong_plan_says_what_is_wrong(run, plan_file, keystore, change, code, text):
    plan_file.write_text(change(plan_file.read_text(encoding="utf-8")), encoding="utf-8")
    got, _, err = run("--plan", plan_file, *keystore, "--rpc", "http://127.0.0.1:9")
    assert got == code
    assert text in err


def test_missing_plan_exits_6(run, tmp_path, keystore):
    code, _, err = run("--plan", tmp_path / "none.toml", *keystore)
    assert code == 6
    assert "no plan file" in err


def test_parameter_file_beside_the_plan_is_read(plan_file):
    from importlib import resources

    from capshare.plans import read_plan

    text = (resources.files("capshare") / "params" / "pilot.toml").read_text(encoding="utf-8")
    (plan_file.parent / "ours.toml").write_text(text, encoding="utf-8")
    plan_file.write_text(
        plan_file.read_text(encoding="utf-8").replace('"production"', '"ours.toml"'),
        encoding="utf-8",
    )
    assert read_plan(plan_file, "x").parameters.round == 10
