// Cards for the tests: give only what matters.

import { prepared } from "../../chalicelib/ui/card.js";

export function card(changes = {}) {
  return prepared({
    match_id: 1,
    home_team: "Ajax",
    away_team: "PSV",
    match_date: "2024-04-06T18:00:00Z",
    region: "Netherlands",
    league: "Eredivisie",
    status: "upcoming",
    proba_home: 0.5,
    proba_draw: 0.3,
    proba_away: 0.2,
    implied_home: null,
    implied_draw: null,
    implied_away: null,
    odds_home: null,
    odds_draw: null,
    odds_away: null,
    odds_collected_at: null,
    value_bet: null,
    region_roi: null,
    outcome_1x2: null,
    in_sample: false,
    ...changes,
  });
}
