"""`python -m aisle.cli`: the command line by the name of its package, as launchers of processes want it."""

from aisle.cli.app import main

if __name__ == "__main__":
    main()
