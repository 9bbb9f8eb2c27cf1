"""Operations of services other than SageMaker that the sandbox answers itself, before moto does."""
