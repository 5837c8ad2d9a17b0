"""The protocol, without any I/O: bytes and plain values in, findings out.

Laws
----
* Standard library only, and pure: no clock, no socket, no file.
* Nothing that a target can send makes a function of this package raise.
* A breach is recorded and reading goes on: one early fault hides nothing later. A mere consequence
  of a recorded breach is not recorded again under another clause, unless that clause's own text
  asks for it; each module says where it decided so.

Map
---
finding     the record of a breach, and the one-line quotation
facts       what the request asked for
rules       rows of the tables below
jsontext    strict JSON documents                       CC-HTTP-002, 006, 007
media       media types                                 CC-HTTP-003
http1       responses in the raw bytes of a connection  CC-HTTP-009
sse         the event-stream decoder
framing     rules for the bytes of a stream             CC-SSE
automaton   the order of chunks, as tables              CC-STREAM
chunks      the form of a chunk, as tables              CC-STREAM, CC-SERR
stream      the machine: reads a whole stream           CC-STREAM, CC-SERR, CC-SSE-024
fold        chunks into a completion                    CC-EQUIV-001
completion  rules for the non-streamed object           CC-RESP, CC-MSG, CC-FIN
calls       calls in messages and in deltas             CC-TOOL
logprobs    entries of tokens, in both forms            CC-LOGP
usage       rules for a usage object                    CC-USAGE
markup      leaked chat-template tokens                 CC-MSG-011
reasoning   thoughts beside the answer                  CC-REAS
damage      characters that were decoded wrongly        CC-MSG-012, CC-SSE-020
coding      flushed and unflushed compression           CC-SSE-022
models      rules for the list of models                CC-MODEL-001, 002, 003
errors      rules for error replies                     CC-ERR
headers     limits, delays, durations                   CC-HDR, CC-ERR-014
parts       pictures, sound and files to send           CC-MM
interop     what a client library made of a reply       CC-SDK
"""
