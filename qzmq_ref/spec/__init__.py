"""The specification as data: text of spec/ -> notation (AST) and tables -> schema."""
