"""Operations of other services that the sandbox answers instead of moto."""
