/* ChaCha20 (RFC 8439, section 2.4) over a batch of records of one size: a thread per block of 64 octets.
 *
 * Each record has its own key (8 words) and nonce (3 words), little-endian as on the wire; `blocks` is the number of
 * blocks per record. The counter of a record's first block is 1, as ChaCha20-Poly1305 has it. `in` may be `out`.
 */
typedef unsigned int word;

#define ROTATE(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define QUARTER_ROUND(a, b, c, d)             \
    a += b; d = ROTATE(d ^ a, 16);            \
    c += d; b = ROTATE(b ^ c, 12);            \
    a += b; d = ROTATE(d ^ a, 8);             \
    c += d; b = ROTATE(b ^ c, 7);

#ifdef __cplusplus
extern "C"
#endif
__global__ void chacha20(const word *keys, const word *nonces, word records, word blocks, const word *in, word *out)
{
    unsigned long long thread = (unsigned long long)blockIdx.x * blockDim.x + threadIdx.x;
    unsigned long long record = thread / blocks;
    word s[16], x[16];
    int i;

    if (record >= records)
        return;
    s[0] = 0x61707865; s[1] = 0x3320646e; s[2] = 0x79622d32; s[3] = 0x6b206574;
    for (i = 0; i < 8; i++)
        s[4 + i] = keys[record * 8 + i];
    s[12] = 1 + (word)(thread % blocks);
    for (i = 0; i < 3; i++)
        s[13 + i] = nonces[record * 3 + i];
    for (i = 0; i < 16; i++)
        x[i] = s[i];
    for (i = 0; i < 10; i++) {
        QUARTER_ROUND(x[0], x[4], x[8], x[12])
        QUARTER_ROUND(x[1], x[5], x[9], x[13])
        QUARTER_ROUND(x[2], x[6], x[10], x[14])
        QUARTER_ROUND(x[3], x[7], x[11], x[15])
        QUARTER_ROUND(x[0], x[5], x[10], x[15])
        QUARTER_ROUND(x[1], x[6], x[11], x[12])
        QUARTER_ROUND(x[2], x[7], x[8], x[13])
        QUARTER_ROUND(x[3], x[4], x[9], x[14])
    }
    for (i = 0; i < 16; i++)
        out[thread * 16 + i] = in[thread * 16 + i] ^ (x[i] + s[i]);
}
