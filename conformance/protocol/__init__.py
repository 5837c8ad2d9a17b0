"""The protocol, without any I/O: bytes and plain values in, findings out.

Laws
----
* Standard library only, and pure: no clock, no socket, no file.
* Nothing that a target can send makes a function of this package raise.
* A breach is recorded and reading goes on: one early fault hides nothing later. A mere consequence
  of a recorded breach is not recorded again under another clause.

Map
---
finding     the record of a breach, and the one-line quotation
jsontext    strict JSON documents                       CC-HTTP-002, 006, 007
media       media types                                 CC-HTTP-003
http1       responses in the raw bytes of a connection  CC-HTTP-009
sse         the event-stream decoder
framing     rules for the bytes of a stream             CC-SSE
stream      the chunk machine                           CC-STREAM, CC-SERR
completion  rules for the non-streamed object           CC-RESP, CC-MSG, CC-USAGE, CC-FIN
models      rules for the list of models                CC-MODEL-001..003
errors      rules for error replies                     CC-ERR
"""
