let scenario = "";

export const begin = (name) => (scenario = name);
export const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

function report(name, ok, error, detail) {
  const refused = !ok && error?.name === "UnsupportedOperationException";
  const text = ok ? "" : `${detail ?? ""} ${error ? `${error.name}: ${error.message}` : ""}`;
  console.log([ok ? "works" : refused ? "refused" : "misbehaves", `${scenario}: ${name}`, text.replaceAll("\n", " ")].join("\t"));
}

/** Report one call and return its result; an empty object if it failed. */
export async function attempt(name, call) {
  try {
    const result = await call();
    report(name, true);
    return result;
  } catch (error) {
    report(name, false, error);
    return {};
  }
}

/** Report a call that AWS answers with this error code and words of the message. */
export async function reject(name, code, words, call) {
  let error;
  try {
    await call();
  } catch (caught) {
    error = caught;
  }
  report(`${name} -> ${code}`, [error?.name, error?.Code].includes(code) && error.message.includes(words), error, `expected ${code} ${words}`);
}

/** Report a value that the calls before must have had as an effect. */
export const check = (name, ok, got) => report(name, Boolean(ok), undefined, JSON.stringify(got));

/** Return the number of items in all pages. */
export async function count(pages, key) {
  let total = 0;
  for await (const page of pages) total += (page[key] ?? []).length;
  return total;
}
