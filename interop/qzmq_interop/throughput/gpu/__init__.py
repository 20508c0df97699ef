"""ChaCha20 on many records at once: a CUDA kernel, the same kernel emulated in C, and how either is checked."""
