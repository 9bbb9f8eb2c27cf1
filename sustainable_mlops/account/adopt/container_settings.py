"""Environment variables that serving containers document, and whose values are text.

The list needs no variables with numbers or booleans: an adoption writes such values under each name. It has no options
that are free text, such as JVM arguments. Sources, read on 2026-11-30, are the pages and sources of these repositories:
aws/sagemaker-inference-toolkit, aws/sagemaker-huggingface-inference-toolkit,
aws/sagemaker-tensorflow-serving-container, awslabs/multi-model-server, pytorch/serve,
triton-inference-server/server (docker/sagemaker/serve), deepjavalibrary/djl-serving (LMI) and
huggingface/text-generation-inference (launcher).
"""

_SAGEMAKER_TOOLKITS = (
    "SAGEMAKER_BASE_DIR",
    "SAGEMAKER_CONTAINER_LOG_LEVEL",
    "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",
    "SAGEMAKER_INFERENCE_INPUT",
    "SAGEMAKER_INFERENCE_OUTPUT",
    "SAGEMAKER_INFERENCE_SUPPORTED",
    "SAGEMAKER_PROGRAM",
    "SAGEMAKER_REGION",
    "SAGEMAKER_SAFE_PORT_RANGE",
    "SAGEMAKER_SUBMIT_DIRECTORY",
)
_TENSORFLOW_SERVING = (
    "SAGEMAKER_GUNICORN_LOGLEVEL",
    "SAGEMAKER_GUNICORN_WORKER_CLASS",
    "SAGEMAKER_TFS_DEFAULT_MODEL_NAME",
    "SAGEMAKER_TFS_NGINX_LOGLEVEL",
)
_MODEL_SERVERS = (
    "LOG_LOCATION",
    "METRICS_LOCATION",
    "MMS_CONFIG_FILE",
    "MMS_LOAD_MODELS",
    "MMS_MODEL_STORE",
    "TS_CONFIG_FILE",
    "TS_INFERENCE_ADDRESS",
    "TS_LOAD_MODELS",
    "TS_MANAGEMENT_ADDRESS",
    "TS_METRICS_ADDRESS",
    "TS_METRICS_CONFIG",
    "TS_METRICS_MODE",
    "TS_MODEL_STORE",
)
_TRITON = ("SAGEMAKER_TRITON_DEFAULT_MODEL_NAME",)
_DJL = (
    "DJL_CACHE_DIR",
    "DJL_DEFAULT_ENGINE",
    "DJL_ENTRY_POINT",
    "DJL_VENV_DIR",
    "ENGINE_CACHE_DIR",
    "MXNET_ENGINE_TYPE",
    "OPTION_COMPILED_GRAPH_PATH",
    "OPTION_CONTEXT_LENGTH_ESTIMATE",
    "OPTION_DTYPE",
    "OPTION_ENTRYPOINT",
    "OPTION_GROUP_QUERY_ATTENTION",
    "OPTION_LOAD_FORMAT",
    "OPTION_MODEL_ID",
    "OPTION_OUTPUT_FORMATTER",
    "OPTION_QUANTIZE",
    "OPTION_REVISION",
    "OPTION_ROLLING_BATCH",
    "OPTION_SPECULATIVE_DRAFT_MODEL",
    "OPTION_TENSOR_PARALLEL_DEGREE",
    "OPTION_TOKENIZER_MODE",
    "PYTORCH_FLAVOR",
    "PYTORCH_VERSION",
    "SERVING_LOAD_MODELS",
    "TENSOR_PARALLEL_DEGREE",
)
_HUGGING_FACE = (
    "CUDA_GRAPHS",
    "DTYPE",
    "HF_HOME",
    "HF_MODEL_ID",
    "HF_MODEL_QUANTIZE",
    "HF_MODEL_REVISION",
    "HF_TASK",
    "HOSTNAME",
    "HUGGINGFACE_HUB_CACHE",
    "KV_CACHE_DTYPE",
    "LORA_ADAPTERS",
    "MASTER_ADDR",
    "MODEL_ID",
    "OTLP_SERVICE_NAME",
    "QUANTIZE",
    "REVISION",
    "ROPE_SCALING",
    "SHARD_UDS_PATH",
    "TOKENIZER_CONFIG_PATH",
    "USAGE_STATS",
    "WEIGHTS_CACHE_OVERRIDE",
)
_LIBRARIES = (
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "CUDA_VISIBLE_DEVICES",
    "KMP_AFFINITY",
    "LOG_DIR",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "MODEL_DIR",
    "MODEL_FORMAT",
    "MODEL_NAME",
    "NCCL_DEBUG",
    "NCCL_SOCKET_IFNAME",
    "NEURON_RT_VISIBLE_CORES",
    "OMP_PROC_BIND",
    "PYTHONIOENCODING",
    "PYTHONPATH",
    "PYTHON_EXECUTABLE",
)
#: Names of all containers.
CONTAINER_SETTINGS = frozenset(
    {*_SAGEMAKER_TOOLKITS, *_TENSORFLOW_SERVING, *_MODEL_SERVERS, *_TRITON, *_DJL, *_HUGGING_FACE, *_LIBRARIES}
)
#: Settings whose value is the ID of a commit.
REVISIONS = frozenset({"HF_MODEL_REVISION", "OPTION_REVISION", "REVISION"})
