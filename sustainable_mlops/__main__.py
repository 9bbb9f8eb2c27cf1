"""`python -m sustainable_mlops` is the command `smlops`."""

from sustainable_mlops.commands import main

main()
