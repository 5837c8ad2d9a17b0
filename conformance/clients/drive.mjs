// Drives one Node client library against a target: `node drive.mjs LIBRARY`, job on stdin.
//
// The laws are those of drivers/running.py: it judges nothing, writes one line of JSON for each
// step, and takes the key and the headers from the environment. The libraries lie in the
// node_modules of the folder that CONFORMANCE_CLIENT_MODULES names.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const MOST_BYTES = 16 * 1024 * 1024; // of one body
const LONGEST = 100_000; // characters of what an exception says
const PATIENCE_MS = 5000; // for the end of a body that a library has left
const RESULT = '14 degrees Celsius, light rain'; // what every tool returns

const folder = process.env.CONFORMANCE_CLIENT_MODULES;
const require = createRequire(join(folder, 'package.json'));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const versionOf = (name) =>
  JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf-8')).version;

const gapOf = ({ gap = 0 }) => 1000 * gap; // milliseconds between two calls, at a rate

let exchanges = [];

/** `fetch`, which keeps what is sent and a copy of what comes. */
async function recordingFetch(url, init) {
  const headers = new Headers(init?.headers);
  const entry = {
    method: init?.method ?? 'GET',
    url: String(url),
    user_agent: headers.get('user-agent') ?? '',
    sent: Buffer.from(init?.body ?? '').toString('base64'),
    status: null,
    headers: [],
    body: '',
    failure: 'no reply',
  };
  exchanges.push(entry);
  const response = await fetch(url, init);
  entry.status = response.status;
  entry.headers = [...response.headers];
  entry.copied = copy(response.clone(), entry);
  return response;
}

/** The body of a reply, read to its end beside the library. */
async function copy(response, entry) {
  const pieces = [];
  let size = 0;
  entry.failure = 'left before its end';
  const keep = () => (entry.body = Buffer.concat(pieces).toString('base64'));
  entry.keep = keep;
  try {
    for await (const piece of response.body ?? []) {
      pieces.push(piece);
      size += piece.length;
      if (size > MOST_BYTES) throw new Error(`the body exceeds ${MOST_BYTES} bytes`);
    }
    entry.failure = '';
  } catch (error) {
    entry.failure = `${error.name}: ${error.message}`.slice(0, LONGEST);
  }
  keep();
}

/** The exchanges of a step, each body as far as it has come. */
async function recorded() {
  const late = new Promise((done) => setTimeout(done, PATIENCE_MS).unref());
  await Promise.race([Promise.all(exchanges.map((one) => one.copied)), late]);
  return exchanges.map(({ copied, keep, ...entry }) => {
    keep?.();
    return entry.body === '' && keep ? { ...entry, body: keep() } : entry;
  });
}

async function openaiNode(job, headers) {
  const { default: OpenAI } = await load('openai');
  const client = (key, more = {}) =>
    new OpenAI({
      ...('retries' in job ? { maxRetries: job.retries } : {}),
      ...more,
      apiKey: key,
      baseURL: job.base_url,
      timeout: job.timeout * 1000,
      defaultHeaders: headers,
      fetch: recordingFetch,
    });
  const final = (key, body) => client(key).chat.completions.stream(body).finalChatCompletion();
  const toolRound = async (key, body) => {
    const { message } = (await final(key, body)).choices[0];
    const called = message.tool_calls ?? [];
    const calls = called.map((one) => ({ id: one.id, ...pick(one.function) }));
    if (calls.length === 0) return { calls };
    const answers = calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: RESULT }));
    const messages = [...body.messages, message, ...answers];
    await sleep(gapOf(job));
    return { calls, last: await final(key, { ...body, messages }) };
  };
  const models = async (key) => {
    const ids = [];
    for await (const { id } of client(key).models.list()) ids.push(id);
    return { ids };
  };
  const structured = async (key, body) => {
    const { message } = (await client(key).chat.completions.parse(body)).choices[0];
    return { parsed: message.parsed };
  };
  const pick = (called) => ({ name: called.name, arguments: called.arguments });
  return {
    final,
    models,
    structured,
    tool_round: toolRound,
    create_once: (key, body) => client(key, { maxRetries: 0 }).chat.completions.create(body),
    create: (key, body) => client(key).chat.completions.create(body),
  };
}

async function aiSdk(job, headers) {
  const { createOpenAICompatible } = await load('@ai-sdk/openai-compatible');
  const patience = () => ({ abortSignal: AbortSignal.timeout(job.timeout * 1000) });
  const ask = (key, { model, messages, tools, response_format: wanted, ...rest }) => {
    const { stream_options: told, ...fields } = rest;
    const provider = createOpenAICompatible({
      name: 'target',
      apiKey: key,
      baseURL: job.base_url,
      headers,
      fetch: recordingFetch,
      supportsStructuredOutputs: true,
      includeUsage: told?.include_usage,
      transformRequestBody: (args) => ({ ...args, ...fields }),
    });
    const prompt = messages.map(({ role, content }) => ({
      role,
      content: [{ type: 'text', text: content }],
    }));
    const options = { prompt, ...patience() };
    if (tools)
      options.tools = tools.map(({ function: { parameters, ...named } }) => ({
        type: 'function',
        ...named,
        inputSchema: parameters,
      }));
    if (wanted) {
      const { name, schema } = wanted.json_schema;
      options.responseFormat = { type: 'json', name, schema };
    }
    return [provider.chatModel(model), options];
  };
  const textOf = (parts, kind) =>
    parts
      .filter((part) => part.type === kind)
      .map((part) => part.text ?? part.delta)
      .join('');
  const countsOf = (usage) => ({
    input: usage?.inputTokens?.total ?? null,
    output: usage?.outputTokens?.total ?? null,
  });
  const generate = async (key, body) => {
    const [model, options] = ask(key, body);
    const done = await model.doGenerate(options);
    return { content: textOf(done.content, 'text'), finish: done.finishReason, errors: [] };
  };
  const stream = async (key, body) => {
    const [model, options] = ask(key, body);
    const parts = [];
    for await (const part of (await model.doStream(options)).stream) parts.push(part);
    const errors = parts.filter((part) => part.type === 'error').map((part) => said(part.error));
    const { finishReason: finish = null, usage } =
      parts.find((part) => part.type === 'finish') ?? {};
    return { content: textOf(parts, 'text-delta'), finish, errors, usage: countsOf(usage) };
  };
  const toolRound = async (key, body) => {
    const [model, options] = ask(key, body);
    const first = await model.doGenerate(options);
    const called = first.content.filter((part) => part.type === 'tool-call');
    const calls = called.map((one) => ({
      id: one.toolCallId,
      name: one.toolName,
      arguments: one.input,
    }));
    if (calls.length === 0) return { calls };
    const content = called.map(({ type, toolCallId, toolName, input }) => ({
      type,
      toolCallId,
      toolName,
      input: JSON.parse(input),
    }));
    const results = called.map(({ toolCallId, toolName }) => ({
      type: 'tool-result',
      toolCallId,
      toolName,
      output: { type: 'text', value: RESULT },
    }));
    const told = [
      { role: 'assistant', content },
      { role: 'tool', content: results },
    ];
    await sleep(gapOf(job));
    const prompt = [...options.prompt, ...told];
    const done = await model.doGenerate({ ...options, ...patience(), prompt });
    return { calls, last: { content: textOf(done.content, 'text') }, finish: done.finishReason };
  };
  return { generate, stream, create: generate, tool_round: toolRound };
}

const LIBRARIES = {
  openai: [openaiNode, ['openai']],
  'ai-sdk': [aiSdk, ['@ai-sdk/openai-compatible', '@ai-sdk/provider-utils']],
};

const said = (error) => String(error?.message ?? error).slice(0, LONGEST);

/** An exception: its class and those above it, what it says, and what it carries of the error. */
function raised(error) {
  const bases = [];
  for (let kind = error?.constructor; kind?.name; kind = Object.getPrototypeOf(kind))
    bases.push(kind.name);
  const carried = error?.data?.error ?? error;
  return {
    class: bases[0] ?? typeof error,
    bases,
    cause: error?.cause?.constructor?.name ?? '',
    message: said(error),
    status: error?.status ?? error?.statusCode ?? null,
    type: carried?.type ?? null,
    param: carried?.param ?? null,
    code: carried?.code ?? null,
  };
}

async function main(name) {
  const write = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
  const job = JSON.parse(readFileSync(0, 'utf-8'));
  const key = process.env.CONFORMANCE_CLIENT_KEY || 'none';
  const [library, packages] = LIBRARIES[name];
  const run = await library(job, JSON.parse(process.env.CONFORMANCE_CLIENT_HEADERS || '{}'));
  const versions = Object.fromEntries(packages.map((one) => [one, versionOf(one)]));
  write({ name: 'start', versions });
  await sleep(1000 * (job.wait ?? 0));
  for (const [number, step] of job.steps.entries()) {
    if (number > 0) await sleep(gapOf(job));
    exchanges = [];
    const line = { name: step.name };
    try {
      const given = process.env[step.key_env ?? ''] || (step.key ?? key);
      line.returned = await run[step.kind](given, step.body);
    } catch (error) {
      line.raised = raised(error);
    }
    write({ ...line, exchanges: await recorded() });
  }
}

await main(process.argv[2]);
process.exit(0);
