"""What is asked of a target: the requests, and the questions that several checks have.

The law: any check may ask, for equal questions share their answer (`chat`); what a question blames,
it blames for the check that asks.

| module | holds |
|---|---|
| `sent`, `prompts`, `credentials` | bodies, words and keys that are sent |
| `battery`, `invalid` | the standing requests, valid and invalid |

What several checks want to know:

| module | asks |
|---|---|
| `parameters` | is a parameter taken, and refused where it is wrong? |
| `control` | what does it do? a count, and the same call without it |
| `forms` | is the answer in the form that was asked for, with or without log probabilities? |
| `recall` | does what the model was told come back? a control decides |
| `served` | which models are listed, and what is one of them, retrieved? |
| `probes`, `pictures` | what is the model capable of? pictures, sound, files |
| `long_input` | how much does it take? prompts of a known size |
| `concurrency` | what becomes of calls that are made at once? |
| `limits` | how does it refuse for want of rate, credit or permission? |
"""
