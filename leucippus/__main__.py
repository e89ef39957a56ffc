"""`python -m leucippus`."""

from leucippus.cli import main

main()
