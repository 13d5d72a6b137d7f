"""Years of bills through a draft: what it would cost, who gains and who loses, how long the fund lasts. Pure."""
