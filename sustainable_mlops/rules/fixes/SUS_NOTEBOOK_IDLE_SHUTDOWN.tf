resource "aws_sagemaker_notebook_instance" "this" {
  name                  = "explore"
  role_arn              = aws_iam_role.this.arn
  instance_type         = "ml.t3.medium"
  volume_size           = 20 # GB
  lifecycle_config_name = aws_sagemaker_notebook_instance_lifecycle_configuration.stop.name
}

resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "stop" {
  name = "stop-when-idle"
  on_start = base64encode(<<-EOT
    #!/bin/bash
    # Stop after an hour without a running kernel. autostop.py: the "auto-stop-idle" sample of AWS, kept in your bucket.
    aws s3 cp s3://${aws_s3_bucket.this.bucket}/notebooks/autostop.py /home/ec2-user/autostop.py
    echo "*/5 * * * * /usr/bin/python3 /home/ec2-user/autostop.py --time 3600 --ignore-connections" | crontab -
  EOT
  )
}
