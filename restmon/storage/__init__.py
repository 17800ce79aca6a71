"""Models, migrations, and the two database engines behind one small interface."""
