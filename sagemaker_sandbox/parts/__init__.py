"""What every part of SageMaker is made of: its Region, its resources, its operations, its lists."""
