"""Code that several levels of tests share."""
