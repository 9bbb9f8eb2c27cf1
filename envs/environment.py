"""Components of every environment, in order: a component comes after those that it uses."""

from typing import Any

from envs.component import Component
from envs.components.access import Access
from envs.components.async_endpoints import AsyncEndpoints
from envs.components.feature_store import FeatureStore
from envs.components.model_registry import ModelRegistry
from envs.components.network import Network
from envs.components.observability import Observability
from envs.components.pipelines import Pipelines
from envs.components.platform import PlatformParameter
from envs.components.promotions import Promotions
from envs.components.realtime_endpoints import RealtimeEndpoints
from envs.components.serverless_endpoints import ServerlessEndpoints
from envs.components.storage import Storage

COMPONENTS: tuple[type[Component[Any]], ...] = (
    Storage,
    Network,
    Access,
    FeatureStore,
    ModelRegistry,
    ServerlessEndpoints,
    AsyncEndpoints,
    RealtimeEndpoints,
    Promotions,
    Pipelines,
    Observability,
    PlatformParameter,
)
