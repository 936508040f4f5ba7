// A large file goes in parts of 5 MiB. Each that has arrived is kept by the server: a break of the network costs one part
// at most, and the same file chosen again, even on another day's page, goes on where it stopped.

const PAUSES = [1, 2, 4, 8, 15, 30]; // seconds between attempts; the last one again and again
const PATIENCE = 5 * 60 * 1000; // without a sign of life from the server
const BEGINNINGS = 3; // how often a file whose upload was forgotten meanwhile is begun anew

export const canSendInParts = () => Boolean(window.crypto?.subtle);

// What the server says of the file, and no attempt will change: refused, closed, unknown person.
export class Final extends Error {}

// Resolves to the server's answer. `announced`: fields of the announcement; `token`: against forgery;
// `tell`: { begun(id), advanced(share), interrupted(), resumed() }.
export async function sendInParts(file, { address, partBytes, announced, token, tell }) {
  const first = await digestOf(file, 0, partBytes);
  for (let beginning = 0; beginning < BEGINNINGS; beginning += 1) {
    const upload = await start(file, { address, announced, token, first, tell });
    tell.begun(upload.id);
    const answer = await sendAll(file, upload, { token, tell });
    if (answer) return answer;
  }
  throw new Final();
}

async function start(file, { address, announced, token, first, tell }) {
  const data = new FormData();
  data.append("csrfmiddlewaretoken", token);
  for (const [name, value] of Object.entries({ ...announced, name: file.name, size: file.size, first })) {
    data.append(`_upload-${name}`, value);
  }
  const { status, answer } = await insist(() => post(address, data, { token }), tell);
  if (status !== 201) throw new Final(answer?.message ?? "");
  return answer;
}

// Null when the server has forgotten the upload.
async function sendAll(file, upload, { token, tell }) {
  const wanted = new Set(upload.parts.keys());
  for (const [rank, digest] of Object.entries(upload.received)) {
    if (digest === (await digestOf(file, Number(rank), upload.part_bytes))) wanted.delete(Number(rank));
  }
  while (true) {
    for (const rank of [...wanted].sort((one, other) => one - other)) {
      const before = upload.parts.length - wanted.size;
      const part = file.slice(rank * upload.part_bytes, (rank + 1) * upload.part_bytes);
      const advance = (share) => tell.advanced((before + share) / upload.parts.length);
      advance(0);
      const { status, answer } = await insist(() => post(upload.parts[rank], part, { token, advance }), tell);
      if (status === 404) return null;
      if (status !== 200) throw new Final(answer?.message ?? "");
      wanted.delete(rank);
    }
    tell.advanced(1);
    const { status, answer } = await insist(() => post(upload.finish, new FormData(), { token }), tell);
    if (status === 404) return null;
    if (status === 200) return answer;
    if (!answer?.missing) throw new Final(answer?.message ?? "");
    answer.missing.forEach((rank) => wanted.add(rank));
  }
}

async function digestOf(file, rank, partBytes) {
  const bytes = await file.slice(rank * partBytes, (rank + 1) * partBytes).arrayBuffer();
  const digest = new Uint8Array(await window.crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Until the server answers. What is not an answer of ours (a sign-in page, an error page) is final.
async function insist(attempt, tell) {
  for (let failures = 0; ; failures += 1) {
    const { status, answer } = await attempt().catch(() => ({ status: 0 }));
    const isPassing = status === 0 || status === 400 || status === 408 || status === 429 || status >= 500;
    if (!isPassing) {
      if (failures > 0) tell.resumed();
      if (!answer && status !== 404) throw new Final();
      return { status, answer };
    }
    tell.interrupted();
    await pause(PAUSES[Math.min(failures, PAUSES.length - 1)]);
  }
}

// Shorter when the network comes back.
function pause(seconds) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    window.addEventListener("online", done);
  });
}

function post(address, body, { token, advance }) {
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    if (advance) {
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) advance(event.loaded / event.total);
      });
    }
    request.addEventListener("load", () => resolve({ status: request.status, answer: request.response }));
    for (const name of ["error", "abort", "timeout"]) request.addEventListener(name, reject);
    request.open("POST", address);
    request.timeout = PATIENCE;
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", token);
    if (body instanceof Blob) request.setRequestHeader("Content-Type", "application/octet-stream");
    request.send(body);
  });
}
