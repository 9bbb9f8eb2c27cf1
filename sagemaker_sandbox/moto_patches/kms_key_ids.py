"""KMS: moto gives each key a random ID, so that a fixed key ARN in a configuration cannot exist.

The tag `_custom_id_`, with which moto sets the ids of other resources, sets the id of a key, too. A key without
KeyUsage gets the default of AWS; moto leaves it out.
"""

from typing import Any

from moto.kms.models import KmsBackend
from moto.utilities.id_generator import TAG_KEY_CUSTOM_ID


def apply() -> None:
    """Read the tag when a key is created."""
    create_key = KmsBackend.create_key

    def create_key_with_custom_id(
        self: Any,
        policy: Any,
        key_usage: Any,
        key_spec: Any,
        description: Any,
        tags: Any,
        *arguments: Any,
        **options: Any,
    ) -> Any:
        usage = key_usage or "ENCRYPT_DECRYPT"
        key = create_key(self, policy, usage, key_spec, description, tags, *arguments, **options)
        custom_id = {tag["TagKey"]: tag["TagValue"] for tag in tags or ()}.get(TAG_KEY_CUSTOM_ID)
        if custom_id is not None:
            del self.keys[key.id]
            self.tagger.delete_all_tags_for_resource(key.id)
            key.arn = key.arn.replace(key.id, custom_id)
            key.id = custom_id
            self.keys[custom_id] = key
            self.tagger.tag_resource(custom_id, tags)
        return key

    KmsBackend.create_key = create_key_with_custom_id
