"""An invented news world over HTTP: sites that publish, correct, move and withdraw, and that fail."""
