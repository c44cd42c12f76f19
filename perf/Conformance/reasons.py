"""Why Breakwater does not pass these tests of the suite."""

LYING_PART = "a body of 5 bytes for `bytes 4-9/10`: a 206 whose length disagrees with its Content-Range must not be stored"

REASONS = {
    "conditional-lm-fresh-no-lm": "contradicts RFC 9111, 4.3.2: without Last-Modified the Date counts, and it is later than the request's date",
    "headers-store-Transfer-Encoding": "wants an unknown transfer coding delivered as identity; a 502 is right (RFC 9112, 6.1)",
    "partial-store-partial-complete": "would join parts without a validator that proves them to be of one body",
    "partial-store-partial-reuse-partial": LYING_PART,
    "partial-store-partial-reuse-partial-absent": LYING_PART,
    "partial-store-partial-reuse-partial-byterange": LYING_PART,
    "partial-store-partial-reuse-partial-suffix": LYING_PART,
}
