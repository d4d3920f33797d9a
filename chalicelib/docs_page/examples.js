/* Examples that succeed as they stand: a match of the running release, and its features. */

const MATCHES = ["predict/matches/?limit=1", "predict/predictions/?sort=-kickoff&limit=1"];

export function liveExamples(base) {
  let known = null;

  async function read(path, key) {
    try {
      const response = await fetch(new URL(path, base), {
        headers: key ? { "X-API-Key": key } : {},
      });
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }

  /* A match to come, else the latest there is; null while there is no release. */
  async function matchId() {
    for (const path of MATCHES) {
      if (known === null) known = (await read(path))?.[0]?.match_id ?? null;
    }
    return known;
  }

  /* A request body of this schema; null where the release, or this key, does not give one. */
  async function body(schema, key) {
    const id = await matchId();
    if (id === null) return null;
    const names = Object.keys(schema.properties ?? {});
    if (names.includes("match_id") && !schema.required?.includes("features"))
      return { match_id: id };
    const features = (await read(`predict/features/${id}`, key))?.features;
    if (!features) return null;
    if (names.includes("features")) return { match_id: id, features };
    const changed =
      "home_elo_pre" in features
        ? "home_elo_pre"
        : Object.keys(features).find((name) => features[name] !== null);
    const difference = changed === "home_elo_pre" ? 100 : 0;
    return { changes: { [changed]: features[changed] + difference } };
  }

  return { matchId, body };
}
