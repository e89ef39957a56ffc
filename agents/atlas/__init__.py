"""The atlas: the large causal model as one page that opens in any browser, without a server and without the network."""
