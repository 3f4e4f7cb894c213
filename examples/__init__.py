"""The invented news world. The wheel has it as `copydesk.examples`, hence its relative imports."""
