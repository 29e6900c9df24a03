//! The judgement: (snapshot, request, now) to verdict, without I/O, clock or randomness.
