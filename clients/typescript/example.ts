// The API from TypeScript: paths, parameters and bodies are checked against schema.d.ts by the compiler.
import createClient from "openapi-fetch";

import type { components, paths } from "./schema.js";

type Card = components["schemas"]["CardRow"];

export const connect = (baseUrl: string, apiKey?: string) =>
  createClient<paths, "application/json">({ baseUrl, headers: apiKey ? { "X-API-Key": apiKey } : {} });

/** All cards of a region that have not kicked off, page by page. */
export async function upcomingCards(api: ReturnType<typeof connect>, region: string): Promise<Card[]> {
  const cards: Card[] = [];
  let cursor: string | undefined;
  do {
    const { data, error, response } = await api.GET("/predict/cards", {
      params: { query: { region, status: "upcoming", limit: 20, ...(cursor ? { cursor } : {}) } },
    });
    if (error) throw new Error(`${error.code}: ${error.message}`);
    cards.push(...data);
    cursor = response.headers.get("x-next-cursor") ?? undefined;
  } while (cursor);
  return cards;
}

/** A live prediction from a match's own features. */
export async function homeProbability(api: ReturnType<typeof connect>, matchId: number): Promise<number> {
  const features = await api.GET("/predict/features/{match_id}", { params: { path: { match_id: matchId } } });
  if (features.error) throw new Error(features.error.code);
  const { data, error } = await api.POST("/predict", {
    body: { match_id: matchId, features: features.data.features },
  });
  if (error) throw new Error(error.code);
  return data.prediction.probabilities["0"];
}
