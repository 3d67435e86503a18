"""Development chains: one inside the process, and engines that run as processes of their own."""
