"""KMS: moto draws the id of every key, so that what names a key by its ARN could be applied nowhere but in its account.

The tag `_custom_id_`, by which moto lets the ids of other resources be chosen, chooses it here too.
"""

from typing import Any

from moto.kms.models import KmsBackend
from moto.utilities.id_generator import TAG_KEY_CUSTOM_ID


def apply() -> None:
    """Look for the tag when a key is made."""
    create_key = KmsBackend.create_key

    def create_key_of_that_id(
        self: Any, policy: Any, key_usage: Any, key_spec: Any, description: Any, tags: Any, *more: Any, **others: Any
    ) -> Any:
        key = create_key(self, policy, key_usage, key_spec, description, tags, *more, **others)
        chosen = {tag["TagKey"]: tag["TagValue"] for tag in tags or ()}.get(TAG_KEY_CUSTOM_ID)
        if chosen is not None:
            del self.keys[key.id]
            self.tagger.delete_all_tags_for_resource(key.id)
            key.arn = key.arn.replace(key.id, chosen)
            key.id = chosen
            self.keys[chosen] = key
            self.tagger.tag_resource(chosen, tags)
        return key

    KmsBackend.create_key = create_key_of_that_id
