"""Ray and vLLM: words in, typed objects out. Knows no causality."""
