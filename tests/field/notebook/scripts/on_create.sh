#!/bin/bash
# What the notebook has beyond its image.
set -e

sudo -u ec2-user -i <<'EOF'
source /home/ec2-user/anaconda3/bin/activate pytorch_p310
pip install --quiet timm albumentations
source /home/ec2-user/anaconda3/bin/deactivate
EOF
