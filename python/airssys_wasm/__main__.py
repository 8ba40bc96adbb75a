"""``python -m airssys_wasm``: the command, where its script is not on the path."""

from airssys_wasm.cli.main import main

if __name__ == "__main__":
    main()
