"""How strong the suite is: the reference with one careless line at a time, and which cases notice."""
