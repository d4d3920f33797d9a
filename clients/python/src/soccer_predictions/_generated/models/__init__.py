"""Contains all the data models used in inputs/outputs"""

from .against_the_pick import AgainstThePick
from .async_predict_request import AsyncPredictRequest
from .async_predict_request_features_type_0 import AsyncPredictRequestFeaturesType0
from .async_predict_response import AsyncPredictResponse
from .base_scores import BaseScores
from .bet_record import BetRecord
from .calibration_bin import CalibrationBin
from .card_row import CardRow
from .card_row_outcome_1x2_type_0 import CardRowOutcome1X2Type0
from .card_row_predicted_class import CardRowPredictedClass
from .card_row_predicted_label import CardRowPredictedLabel
from .card_row_status import CardRowStatus
from .card_row_value_bet_type_0 import CardRowValueBetType0
from .cards_sort import CardsSort
from .cards_status import CardsStatus
from .closing_price import ClosingPrice
from .club_row import ClubRow
from .contribution import Contribution
from .dead_letter_state import DeadLetterState
from .drift_response import DriftResponse
from .error_response import ErrorResponse
from .fault import Fault
from .features_response import FeaturesResponse
from .features_response_features import FeaturesResponseFeatures
from .forecast_scores import ForecastScores
from .forecasts_scored import ForecastsScored
from .health import Health
from .health_checks import HealthChecks
from .health_status import HealthStatus
from .league_count import LeagueCount
from .market_scored import MarketScored
from .match_row import MatchRow
from .matches_sort import MatchesSort
from .model_feature import ModelFeature
from .model_info_response import ModelInfoResponse
from .model_info_response_metrics import ModelInfoResponseMetrics
from .model_info_response_params import ModelInfoResponseParams
from .odds_row import OddsRow
from .odds_status import OddsStatus
from .openapi_document_response_200 import OpenapiDocumentResponse200
from .pool_record import PoolRecord
from .pool_scored import PoolScored
from .predict_request import PredictRequest
from .predict_request_features import PredictRequestFeatures
from .predict_response import PredictResponse
from .prediction import Prediction
from .prediction_predicted_class import PredictionPredictedClass
from .prediction_row import PredictionRow
from .prediction_row_outcome_1x2_type_0 import PredictionRowOutcome1X2Type0
from .prediction_row_predicted_class import PredictionRowPredictedClass
from .prediction_row_predicted_label import PredictionRowPredictedLabel
from .predictions_sort import PredictionsSort
from .predictions_status import PredictionsStatus
from .price_movement import PriceMovement
from .probabilities import Probabilities
from .profit_curves import ProfitCurves
from .projection_row import ProjectionRow
from .queue_state import QueueState
from .queues_response import QueuesResponse
from .record_by_threshold import RecordByThreshold
from .region_roi_row import RegionRoiRow
from .region_row import RegionRow
from .region_scores import RegionScores
from .season_count import SeasonCount
from .seen_price import SeenPrice
from .stage import Stage
from .task_error import TaskError
from .task_status import TaskStatus
from .task_status_status import TaskStatusStatus
from .threshold_record import ThresholdRecord
from .track_record import TrackRecord
from .track_record_by_region import TrackRecordByRegion
from .track_record_reliability import TrackRecordReliability
from .what_if_request import WhatIfRequest
from .what_if_request_changes import WhatIfRequestChanges
from .what_if_response import WhatIfResponse
from .what_if_response_features import WhatIfResponseFeatures
from .worker_state import WorkerState
from .worker_state_ping import WorkerStatePing
from .workers_response import WorkersResponse

__all__ = (
    "AgainstThePick",
    "AsyncPredictRequest",
    "AsyncPredictRequestFeaturesType0",
    "AsyncPredictResponse",
    "BaseScores",
    "BetRecord",
    "CalibrationBin",
    "CardRow",
    "CardRowOutcome1X2Type0",
    "CardRowPredictedClass",
    "CardRowPredictedLabel",
    "CardRowStatus",
    "CardRowValueBetType0",
    "CardsSort",
    "CardsStatus",
    "ClosingPrice",
    "ClubRow",
    "Contribution",
    "DeadLetterState",
    "DriftResponse",
    "ErrorResponse",
    "Fault",
    "FeaturesResponse",
    "FeaturesResponseFeatures",
    "ForecastScores",
    "ForecastsScored",
    "Health",
    "HealthChecks",
    "HealthStatus",
    "LeagueCount",
    "MarketScored",
    "MatchesSort",
    "MatchRow",
    "ModelFeature",
    "ModelInfoResponse",
    "ModelInfoResponseMetrics",
    "ModelInfoResponseParams",
    "OddsRow",
    "OddsStatus",
    "OpenapiDocumentResponse200",
    "PoolRecord",
    "PoolScored",
    "Prediction",
    "PredictionPredictedClass",
    "PredictionRow",
    "PredictionRowOutcome1X2Type0",
    "PredictionRowPredictedClass",
    "PredictionRowPredictedLabel",
    "PredictionsSort",
    "PredictionsStatus",
    "PredictRequest",
    "PredictRequestFeatures",
    "PredictResponse",
    "PriceMovement",
    "Probabilities",
    "ProfitCurves",
    "ProjectionRow",
    "QueuesResponse",
    "QueueState",
    "RecordByThreshold",
    "RegionRoiRow",
    "RegionRow",
    "RegionScores",
    "SeasonCount",
    "SeenPrice",
    "Stage",
    "TaskError",
    "TaskStatus",
    "TaskStatusStatus",
    "ThresholdRecord",
    "TrackRecord",
    "TrackRecordByRegion",
    "TrackRecordReliability",
    "WhatIfRequest",
    "WhatIfRequestChanges",
    "WhatIfResponse",
    "WhatIfResponseFeatures",
    "WorkersResponse",
    "WorkerState",
    "WorkerStatePing",
)
