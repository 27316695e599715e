"""How runs are planned, done anywhere, stored and found again; knows no study and no country."""
