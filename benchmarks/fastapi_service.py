"""The rival: the same model and request behind FastAPI and LightGBM's own Python package."""

import os
from pathlib import Path

import lightgbm
import numpy as np
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel


class Request(BaseModel):
    """The request of POST /predict/."""

    match_id: int
    features: dict[str, float | int | None]


def make_app(model: str, names: list[str]) -> FastAPI:
    """A service of one route.

    Args:
        model: LightGBM text model.
        names: Its features in order.
    """
    booster = lightgbm.Booster(model_str=model)
    service = FastAPI()

    @service.post("/predict/")
    def predict(request: Request) -> dict[str, object]:
        missing = [name for name in names if name not in request.features]
        if missing:
            raise HTTPException(422, f"missing: {missing}")
        row = [np.nan if request.features[name] is None else request.features[name] for name in names]
        home, draw, away = np.asarray(booster.predict(np.array([row], dtype=float), num_threads=1))[0].tolist()
        probabilities = {"0": home, "1": draw, "2": away}
        best = max(probabilities, key=lambda outcome: probabilities[outcome])
        return {
            "match_id": request.match_id,
            "prediction": {"predicted_class": int(best), "probabilities": probabilities},
        }

    return service


def from_environment() -> FastAPI:
    """The service that uvicorn runs: BENCH_MODEL names the model file."""
    text = Path(os.environ["BENCH_MODEL"]).read_text(encoding="utf-8")
    return make_app(text, lightgbm.Booster(model_str=text).feature_name())
