"""The command ``airssys-wasm``: one file per command."""
