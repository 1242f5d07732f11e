"""How an installation is handed to systemd: its units, where they go, what is checked before."""
