"""What is told to the outside: systemd, people, Prometheus."""
