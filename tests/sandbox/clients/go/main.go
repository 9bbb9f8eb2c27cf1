// Scenarios of the AWS SDK for Go v2. The arguments are a folder with source.tar.gz and model.tar.gz, and a name.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	metrics "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	objects "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	runtime "github.com/aws/aws-sdk-go-v2/service/sagemakerruntime/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	image = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
	trust = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
		"Principal": {"Service": "sagemaker.amazonaws.com", "AWS": "*"}}]}`
	event = `{"source": ["aws.sagemaker"], "detail-type": ["SageMaker Training Job State Change"]}`
)

var (
	name, role, bucket string
	files              string
	account            aws.Config
	sm                 *sagemaker.Client
	storage            *s3.Client
	str                = aws.String
)

func main() {
	files, name = os.Args[1], os.Args[2]
	account, _ = config.LoadDefaultConfig(background)
	sm, storage = sagemaker.NewFromConfig(account), s3.NewFromConfig(account)
	for _, part := range []struct {
		name string
		run  func()
	}{{"account", accountAndStorage}, {"training", training}, {"endpoint", endpoint}, {"registry", registry},
		{"features", features}} {
		runScenario(part.name, part.run)
	}
}

func accountAndStorage() {
	identity := sts.NewFromConfig(account)
	caller := try("GetCallerIdentity", func() (*sts.GetCallerIdentityOutput, error) {
		return identity.GetCallerIdentity(background, &sts.GetCallerIdentityInput{})
	})
	bucket = fmt.Sprintf("%s-%s", name, aws.ToString(caller.Account))
	users := iam.NewFromConfig(account)
	request := &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: str(trust)}
	create := func() (*iam.CreateRoleOutput, error) { return users.CreateRole(background, request) }
	role = *try("CreateRole", create).Role.Arn
	reject("CreateRole again", "EntityAlreadyExists", "", create)
	try("role waiter", func() (int, error) {
		return 0, iam.NewRoleExistsWaiter(users).Wait(background, &iam.GetRoleInput{RoleName: &name}, time.Minute)
	})
	try("AssumeRole", func() (*sts.AssumeRoleOutput, error) {
		return identity.AssumeRole(background, &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: str("go")})
	})

	place := &objects.CreateBucketConfiguration{LocationConstraint: objects.BucketLocationConstraint(account.Region)}
	makeBucket := func() (*s3.CreateBucketOutput, error) {
		return storage.CreateBucket(background, &s3.CreateBucketInput{Bucket: &bucket, CreateBucketConfiguration: place})
	}
	try("CreateBucket", makeBucket)
	reject("CreateBucket again", "BucketAlreadyOwnedByYou", "", makeBucket)
	try("bucket waiter", func() (int, error) {
		return 0, s3.NewBucketExistsWaiter(storage).Wait(background, &s3.HeadBucketInput{Bucket: &bucket}, time.Minute)
	})
	for _, file := range []string{"source.tar.gz", "model.tar.gz"} {
		content, _ := os.ReadFile(filepath.Join(files, file))
		put := try("PutObject with a checksum", func() (*s3.PutObjectOutput, error) {
			return storage.PutObject(background, &s3.PutObjectInput{Bucket: &bucket, Key: &file,
				Body: bytes.NewReader(content), ChecksumAlgorithm: objects.ChecksumAlgorithmSha256})
		})
		check("checksum of the object", put.ChecksumSHA256 != nil, put.ChecksumSHA256)
	}
	reject("PutObject with a wrong checksum", "BadDigest", "", func() (*s3.PutObjectOutput, error) {
		return storage.PutObject(background, &s3.PutObjectInput{Bucket: &bucket, Key: str("wrong"),
			Body: bytes.NewReader([]byte("b")), ChecksumSHA256: str("ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=")})
	})
	for _, algorithm := range []objects.ChecksumAlgorithm{"CRC32C", "SHA1", "CRC64NVME"} {
		key := str(string(algorithm))
		try("PutObject with "+*key, func() (*s3.PutObjectOutput, error) {
			return storage.PutObject(background, &s3.PutObjectInput{Bucket: &bucket, Key: key,
				Body: bytes.NewReader([]byte(*key)), ChecksumAlgorithm: algorithm})
		})
		read := try("GetObject with "+*key, func() (*s3.GetObjectOutput, error) {
			return storage.GetObject(background, &s3.GetObjectInput{Bucket: &bucket, Key: key,
				ChecksumMode: objects.ChecksumModeEnabled})
		})
		content, err := io.ReadAll(read.Body) // the SDK compares the checksum
		check("content with "+*key, err == nil && string(content) == *key, err)
	}
	reject("GetObject missing", "NoSuchKey", "", func() (*s3.GetObjectOutput, error) {
		return storage.GetObject(background, &s3.GetObjectInput{Bucket: &bucket, Key: str("none")})
	})
	reject("HeadObject missing", "NotFound", "", func() (*s3.HeadObjectOutput, error) {
		return storage.HeadObject(background, &s3.HeadObjectInput{Bucket: &bucket, Key: str("none")})
	})
	signed, _ := s3.NewPresignClient(storage).PresignGetObject(background,
		&s3.GetObjectInput{Bucket: &bucket, Key: str("model.tar.gz")})
	answer := try("presigned URL", func() (*http.Response, error) { return http.Get(signed.URL) })
	check("status of the presigned URL", answer.StatusCode == 200, answer.Status)

	upload := try("CreateMultipartUpload", func() (*s3.CreateMultipartUploadOutput, error) {
		return storage.CreateMultipartUpload(background, &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: str("big")})
	})
	var parts []objects.CompletedPart
	for number := int32(1); number <= 2; number++ {
		part := try("UploadPart", func() (*s3.UploadPartOutput, error) {
			return storage.UploadPart(background, &s3.UploadPartInput{Bucket: &bucket, Key: str("big"),
				UploadId: upload.UploadId, PartNumber: &number, Body: bytes.NewReader(make([]byte, 5<<20))})
		})
		parts = append(parts, objects.CompletedPart{ETag: part.ETag, PartNumber: aws.Int32(number),
			ChecksumCRC32: part.ChecksumCRC32})
	}
	try("CompleteMultipartUpload", func() (*s3.CompleteMultipartUploadOutput, error) {
		return storage.CompleteMultipartUpload(background, &s3.CompleteMultipartUploadInput{Bucket: &bucket,
			Key: str("big"), UploadId: upload.UploadId, MultipartUpload: &objects.CompletedMultipartUpload{Parts: parts}})
	})
	keys := 0
	pages := s3.NewListObjectsV2Paginator(storage, &s3.ListObjectsV2Input{Bucket: &bucket, MaxKeys: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(background)
		if err != nil {
			break
		}
		keys += len(page.Contents)
	}
	check("ListObjectsV2 pages", keys == 6, keys)

	secrets := kms.NewFromConfig(account)
	key := try("CreateKey", func() (*kms.CreateKeyOutput, error) {
		return secrets.CreateKey(background, &kms.CreateKeyInput{})
	})
	cipher := try("Encrypt", func() (*kms.EncryptOutput, error) {
		return secrets.Encrypt(background, &kms.EncryptInput{KeyId: key.KeyMetadata.KeyId, Plaintext: []byte("a")})
	})
	plain := try("Decrypt", func() (*kms.DecryptOutput, error) {
		return secrets.Decrypt(background, &kms.DecryptInput{CiphertextBlob: cipher.CiphertextBlob})
	})
	check("decrypted text", string(plain.Plaintext) == "a", plain.Plaintext)
	reject("DescribeKey missing", "NotFoundException", "", func() (*kms.DescribeKeyOutput, error) {
		return secrets.DescribeKey(background, &kms.DescribeKeyInput{KeyId: str("alias/none")})
	})
	rules := eventbridge.NewFromConfig(account)
	try("PutRule", func() (*eventbridge.PutRuleOutput, error) {
		return rules.PutRule(background, &eventbridge.PutRuleInput{Name: &name, EventPattern: str(event)})
	})
	reject("DescribeRule missing", "ResourceNotFoundException", "", func() (*eventbridge.DescribeRuleOutput, error) {
		return rules.DescribeRule(background, &eventbridge.DescribeRuleInput{Name: str("none")})
	})
}

func training() {
	request := sagemaker.CreateTrainingJobInput{
		TrainingJobName: &name, RoleArn: &role,
		AlgorithmSpecification: &types.AlgorithmSpecification{
			TrainingImage: str(image), TrainingInputMode: types.TrainingInputModeFile},
		HyperParameters: map[string]string{"sagemaker_program": "train.py",
			"sagemaker_submit_directory": fmt.Sprintf("s3://%s/source.tar.gz", bucket)},
		OutputDataConfig: &types.OutputDataConfig{S3OutputPath: str(fmt.Sprintf("s3://%s/models", bucket))},
		ResourceConfig: &types.ResourceConfig{InstanceType: types.TrainingInstanceTypeMlM5Large,
			InstanceCount: aws.Int32(1), VolumeSizeInGB: aws.Int32(1)},
		StoppingCondition: &types.StoppingCondition{MaxRuntimeInSeconds: aws.Int32(600)},
		Tags:              []types.Tag{{Key: str("team"), Value: str("go")}},
	}
	create := func() (*sagemaker.CreateTrainingJobOutput, error) { return sm.CreateTrainingJob(background, &request) }
	job := try("CreateTrainingJob", create)
	reject("CreateTrainingJob again", "ResourceInUse", name, create)
	for _, wrong := range []struct {
		name, code, words string
		change            func(*sagemaker.CreateTrainingJobInput)
	}{
		{"wrong name", "ValidationException", "trainingJobName",
			func(r *sagemaker.CreateTrainingJobInput) { r.TrainingJobName = str("not_valid") }},
		{"role of nobody", "ValidationException", "role",
			func(r *sagemaker.CreateTrainingJobInput) { r.RoleArn = str("arn:aws:iam::123456789012:role/none") }},
		{"instance type", "ValidationException", "instanceType",
			func(r *sagemaker.CreateTrainingJobInput) {
				other := *r.ResourceConfig
				other.InstanceType, r.ResourceConfig = "ml.none", &other
			}},
	} {
		other := request
		other.TrainingJobName = str(name + "-wrong")
		wrong.change(&other)
		reject("CreateTrainingJob with a "+wrong.name, wrong.code, wrong.words,
			func() (*sagemaker.CreateTrainingJobOutput, error) { return sm.CreateTrainingJob(background, &other) })
	}
	describe := &sagemaker.DescribeTrainingJobInput{TrainingJobName: &name}
	waiter := sagemaker.NewTrainingJobCompletedOrStoppedWaiter(sm,
		func(o *sagemaker.TrainingJobCompletedOrStoppedWaiterOptions) { o.MinDelay = time.Second })
	result := try("training waiter", func() (*sagemaker.DescribeTrainingJobOutput, error) {
		return waiter.WaitForOutput(background, describe, 2*time.Minute)
	})
	check("status of the job", result.TrainingJobStatus == types.TrainingJobStatusCompleted, result.TrainingJobStatus)
	check("metric of the job", len(result.FinalMetricDataList) == 0, result.FinalMetricDataList)
	try("model artifact", func() (*s3.HeadObjectOutput, error) {
		return storage.HeadObject(background, &s3.HeadObjectInput{Bucket: &bucket,
			Key: str(fmt.Sprintf("models/%s/output/model.tar.gz", name))})
	})
	reject("DescribeTrainingJob missing", "ValidationException", "not found",
		func() (*sagemaker.DescribeTrainingJobOutput, error) {
			return sm.DescribeTrainingJob(background, &sagemaker.DescribeTrainingJobInput{TrainingJobName: str("none")})
		})
	tags := try("ListTags", func() (*sagemaker.ListTagsOutput, error) {
		return sm.ListTags(background, &sagemaker.ListTagsInput{ResourceArn: job.TrainingJobArn})
	})
	check("tag of the job", len(tags.Tags) == 1, tags.Tags)
	failing := request
	failing.TrainingJobName = str(name + "-fails")
	failing.HyperParameters = map[string]string{"sagemaker_program": "fail.py",
		"sagemaker_submit_directory": fmt.Sprintf("s3://%s/source.tar.gz", bucket)}
	try("CreateTrainingJob that fails", func() (*sagemaker.CreateTrainingJobOutput, error) {
		return sm.CreateTrainingJob(background, &failing)
	})
	err := waiter.Wait(background, &sagemaker.DescribeTrainingJobInput{TrainingJobName: failing.TrainingJobName}, time.Minute)
	check("waiter of a failed job", err != nil && err.Error() == "waiter state transitioned to Failure", err)
	jobs := 0
	pages := sagemaker.NewListTrainingJobsPaginator(sm,
		&sagemaker.ListTrainingJobsInput{NameContains: &name, MaxResults: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(background)
		if err != nil {
			break
		}
		jobs += len(page.TrainingJobSummaries)
	}
	check("ListTrainingJobs pages", jobs == 2, jobs)
	logs := cloudwatchlogs.NewFromConfig(account)
	lines := try("FilterLogEvents", func() (*cloudwatchlogs.FilterLogEventsOutput, error) {
		return logs.FilterLogEvents(background, &cloudwatchlogs.FilterLogEventsInput{
			LogGroupName: str("/aws/sagemaker/TrainingJobs"), LogStreamNamePrefix: str(name + "/"),
			FilterPattern: str("trained")})
	})
	check("line in the log", len(lines.Events) == 1, lines.Events)
	found := try("FilterLogEvents with an ARN", func() (*cloudwatchlogs.FilterLogEventsOutput, error) {
		return logs.FilterLogEvents(background, &cloudwatchlogs.FilterLogEventsInput{
			LogGroupIdentifier: str(fmt.Sprintf("arn:aws:logs:%s:123456789012:log-group:/aws/sagemaker/TrainingJobs",
				account.Region)), LogStreamNamePrefix: str(name + "/")})
	})
	for _, event := range found.Events {
		check("stream of an event", strings.HasPrefix(*event.LogStreamName, name+"/"), *event.LogStreamName)
	}
	reject("DescribeLogStreams missing", "ResourceNotFoundException", "",
		func() (*cloudwatchlogs.DescribeLogStreamsOutput, error) {
			return logs.DescribeLogStreams(background, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: str("none")})
		})
}

func endpoint() {
	for _, model := range []string{name, name + "-b"} {
		try("CreateModel", func() (*sagemaker.CreateModelOutput, error) {
			return sm.CreateModel(background, &sagemaker.CreateModelInput{ModelName: &model, ExecutionRoleArn: &role,
				PrimaryContainer: &types.ContainerDefinition{Image: str(image), Environment: map[string]string{"NAME": model},
					ModelDataUrl: str(fmt.Sprintf("s3://%s/model.tar.gz", bucket))}})
		})
		try("CreateEndpointConfig", func() (*sagemaker.CreateEndpointConfigOutput, error) {
			return sm.CreateEndpointConfig(background, &sagemaker.CreateEndpointConfigInput{EndpointConfigName: &model,
				ProductionVariants: []types.ProductionVariant{{VariantName: str("main"), ModelName: &model,
					InstanceType: types.ProductionVariantInstanceTypeMlM5Large, InitialInstanceCount: aws.Int32(1)}}})
		})
	}
	reject("CreateEndpointConfig of a missing model", "ValidationException", "Could not find model",
		func() (*sagemaker.CreateEndpointConfigOutput, error) {
			return sm.CreateEndpointConfig(background, &sagemaker.CreateEndpointConfigInput{EndpointConfigName: str("none"),
				ProductionVariants: []types.ProductionVariant{{VariantName: str("main"), ModelName: str("none"),
					InstanceType: types.ProductionVariantInstanceTypeMlM5Large, InitialInstanceCount: aws.Int32(1)}}})
		})
	create := func() (*sagemaker.CreateEndpointOutput, error) {
		return sm.CreateEndpoint(background, &sagemaker.CreateEndpointInput{EndpointName: &name, EndpointConfigName: &name})
	}
	try("CreateEndpoint", create)
	reject("CreateEndpoint again", "ValidationException", "already existing", create)
	describe := &sagemaker.DescribeEndpointInput{EndpointName: &name}
	waiter := sagemaker.NewEndpointInServiceWaiter(sm,
		func(o *sagemaker.EndpointInServiceWaiterOptions) { o.MinDelay = time.Second })
	ready := func() (int, error) { return 0, waiter.Wait(background, describe, 3*time.Minute) }
	try("endpoint waiter", ready)
	client := sagemakerruntime.NewFromConfig(account)
	invoke := func(body string) (*sagemakerruntime.InvokeEndpointOutput, error) {
		return client.InvokeEndpoint(background, &sagemakerruntime.InvokeEndpointInput{EndpointName: &name,
			Body: []byte(body), ContentType: str("text/csv"), Accept: str("text/plain"), CustomAttributes: str("a")})
	}
	response := try("InvokeEndpoint", func() (*sagemakerruntime.InvokeEndpointOutput, error) { return invoke("1 2") })
	check("response", string(response.Body) == "1 2 "+name, string(response.Body))
	check("variant of the response", aws.ToString(response.InvokedProductionVariant) == "main", response)
	reject("InvokeEndpoint with an error", "ModelError", "500",
		func() (*sagemakerruntime.InvokeEndpointOutput, error) { return invoke("fail") })
	reject("InvokeEndpoint missing", "ValidationError", "not found",
		func() (*sagemakerruntime.InvokeEndpointOutput, error) {
			return client.InvokeEndpoint(background,
				&sagemakerruntime.InvokeEndpointInput{EndpointName: str("none"), Body: []byte("1")})
		})
	streamed := try("InvokeEndpointWithResponseStream",
		func() (*sagemakerruntime.InvokeEndpointWithResponseStreamOutput, error) {
			return client.InvokeEndpointWithResponseStream(background,
				&sagemakerruntime.InvokeEndpointWithResponseStreamInput{EndpointName: &name, Body: []byte("one two"),
					ContentType: str("text/stream"), Accept: str("text/plain")})
		})
	parts := 0
	for part := range streamed.GetStream().Events() {
		if _, ok := part.(*runtime.ResponseStreamMemberPayloadPart); ok {
			parts++
		}
	}
	check("parts of the stream", parts == 2 && streamed.GetStream().Err() == nil, parts)
	autoscaling()
	try("UpdateEndpoint", func() (*sagemaker.UpdateEndpointOutput, error) {
		return sm.UpdateEndpoint(background,
			&sagemaker.UpdateEndpointInput{EndpointName: &name, EndpointConfigName: str(name + "-b")})
	})
	try("endpoint waiter after the update", ready)
	response = try("InvokeEndpoint after the update",
		func() (*sagemakerruntime.InvokeEndpointOutput, error) { return invoke("1") })
	check("response after the update", string(response.Body) == "1 "+name+"-b", string(response.Body))
	watch := cloudwatch.NewFromConfig(account)
	now := time.Now()
	try("GetMetricData", func() (*cloudwatch.GetMetricDataOutput, error) {
		return watch.GetMetricData(background, &cloudwatch.GetMetricDataInput{
			StartTime: aws.Time(now.Add(-time.Hour)), EndTime: aws.Time(now.Add(time.Hour)),
			MetricDataQueries: []metrics.MetricDataQuery{{Id: str("calls"), MetricStat: &metrics.MetricStat{
				Period: aws.Int32(60), Stat: str("Sum"), Metric: &metrics.Metric{Namespace: str("AWS/SageMaker"),
					MetricName: str("Invocations"), Dimensions: []metrics.Dimension{
						{Name: str("EndpointName"), Value: &name}, {Name: str("VariantName"), Value: str("main")}}}}}}})
	})
	alarm := &cloudwatch.PutMetricAlarmInput{AlarmName: &name, Namespace: str("AWS/SageMaker"),
		MetricName: str("Invocation5XXErrors"), Statistic: metrics.StatisticSum, Period: aws.Int32(60),
		EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0),
		ComparisonOperator: metrics.ComparisonOperatorGreaterThanThreshold}
	try("PutMetricAlarm", func() (*cloudwatch.PutMetricAlarmOutput, error) { return watch.PutMetricAlarm(background, alarm) })
	wrong := *alarm
	wrong.Period = aws.Int32(7)
	reject("PutMetricAlarm with a wrong period", "ValidationError", "",
		func() (*cloudwatch.PutMetricAlarmOutput, error) { return watch.PutMetricAlarm(background, &wrong) })
	try("DeleteEndpoint", func() (*sagemaker.DeleteEndpointOutput, error) {
		return sm.DeleteEndpoint(background, &sagemaker.DeleteEndpointInput{EndpointName: &name})
	})
	deleted := sagemaker.NewEndpointDeletedWaiter(sm,
		func(o *sagemaker.EndpointDeletedWaiterOptions) { o.MinDelay = time.Second })
	try("deletion waiter", func() (int, error) { return 0, deleted.Wait(background, describe, time.Minute) })
	reject("DescribeEndpoint missing", "ValidationException", "Could not find endpoint",
		func() (*sagemaker.DescribeEndpointOutput, error) { return sm.DescribeEndpoint(background, describe) })
}

func autoscaling() {
	client := applicationautoscaling.NewFromConfig(account)
	resource := fmt.Sprintf("endpoint/%s/variant/main", name)
	dimension := scaling.ScalableDimensionSageMakerVariantDesiredInstanceCount
	policy := &applicationautoscaling.PutScalingPolicyInput{PolicyName: &name, ResourceId: &resource,
		ServiceNamespace: scaling.ServiceNamespaceSagemaker, ScalableDimension: dimension,
		PolicyType: scaling.PolicyTypeTargetTrackingScaling,
		TargetTrackingScalingPolicyConfiguration: &scaling.TargetTrackingScalingPolicyConfiguration{
			TargetValue: aws.Float64(100), PredefinedMetricSpecification: &scaling.PredefinedMetricSpecification{
				PredefinedMetricType: scaling.MetricTypeSageMakerVariantInvocationsPerInstance}}}
	put := func() (*applicationautoscaling.PutScalingPolicyOutput, error) {
		return client.PutScalingPolicy(background, policy)
	}
	reject("PutScalingPolicy without a target", "ObjectNotFoundException", "", put)
	register := func(id string) func() (*applicationautoscaling.RegisterScalableTargetOutput, error) {
		return func() (*applicationautoscaling.RegisterScalableTargetOutput, error) {
			return client.RegisterScalableTarget(background, &applicationautoscaling.RegisterScalableTargetInput{
				ResourceId: &id, ServiceNamespace: scaling.ServiceNamespaceSagemaker, ScalableDimension: dimension,
				MinCapacity: aws.Int32(1), MaxCapacity: aws.Int32(2)})
		}
	}
	try("RegisterScalableTarget", register(resource))
	reject("RegisterScalableTarget of a missing endpoint", "ValidationException", "", register("endpoint/none/variant/main"))
	alarms := try("PutScalingPolicy", put).Alarms
	check("alarms of the policy", len(alarms) == 2, len(alarms))
	targets := try("DescribeScalableTargets", func() (*applicationautoscaling.DescribeScalableTargetsOutput, error) {
		return client.DescribeScalableTargets(background, &applicationautoscaling.DescribeScalableTargetsInput{
			ServiceNamespace: scaling.ServiceNamespaceSagemaker, ResourceIds: []string{resource}})
	})
	check("one target", len(targets.ScalableTargets) == 1, targets.ScalableTargets)
	try("DeregisterScalableTarget", func() (*applicationautoscaling.DeregisterScalableTargetOutput, error) {
		return client.DeregisterScalableTarget(background, &applicationautoscaling.DeregisterScalableTargetInput{
			ResourceId: &resource, ServiceNamespace: scaling.ServiceNamespaceSagemaker, ScalableDimension: dimension})
	})
}

func registry() {
	group := &sagemaker.CreateModelPackageGroupInput{ModelPackageGroupName: &name}
	create := func() (*sagemaker.CreateModelPackageGroupOutput, error) {
		return sm.CreateModelPackageGroup(background, group)
	}
	try("CreateModelPackageGroup", create)
	reject("CreateModelPackageGroup again", "ValidationException", "already exists", create)
	specification := &types.InferenceSpecification{SupportedContentTypes: []string{"text/csv"},
		SupportedResponseMIMETypes: []string{"text/csv"}, Containers: []types.ModelPackageContainerDefinition{
			{Image: str(image), ModelDataUrl: str(fmt.Sprintf("s3://%s/model.tar.gz", bucket))}}}
	var last *string
	for range 3 {
		last = try("CreateModelPackage", func() (*sagemaker.CreateModelPackageOutput, error) {
			return sm.CreateModelPackage(background, &sagemaker.CreateModelPackageInput{ModelPackageGroupName: &name,
				InferenceSpecification: specification,
				ModelApprovalStatus:    types.ModelApprovalStatusPendingManualApproval})
		}).ModelPackageArn
	}
	try("UpdateModelPackage", func() (*sagemaker.UpdateModelPackageOutput, error) {
		return sm.UpdateModelPackage(background, &sagemaker.UpdateModelPackageInput{ModelPackageArn: last,
			ModelApprovalStatus: types.ModelApprovalStatusApproved})
	})
	found := try("DescribeModelPackage", func() (*sagemaker.DescribeModelPackageOutput, error) {
		return sm.DescribeModelPackage(background, &sagemaker.DescribeModelPackageInput{ModelPackageName: last})
	})
	check("approval and version", found.ModelApprovalStatus == types.ModelApprovalStatusApproved &&
		aws.ToInt32(found.ModelPackageVersion) == 3, found.ModelApprovalStatus)
	for approval, count := range map[types.ModelApprovalStatus]int{"": 3, types.ModelApprovalStatusApproved: 1} {
		versions := 0
		pages := sagemaker.NewListModelPackagesPaginator(sm, &sagemaker.ListModelPackagesInput{
			ModelPackageGroupName: &name, MaxResults: aws.Int32(1), ModelApprovalStatus: approval})
		for pages.HasMorePages() {
			page, err := pages.NextPage(background)
			if err != nil {
				break
			}
			versions += len(page.ModelPackageSummaryList)
		}
		check("ListModelPackages pages", versions == count, versions)
	}
	remove := func() (*sagemaker.DeleteModelPackageGroupOutput, error) {
		return sm.DeleteModelPackageGroup(background,
			&sagemaker.DeleteModelPackageGroupInput{ModelPackageGroupName: &name})
	}
	reject("DeleteModelPackageGroup with versions", "ConflictException", "", remove)
	for version := 1; version <= 3; version++ {
		arn := fmt.Sprintf("%s%d", (*last)[:len(*last)-1], version)
		try("DeleteModelPackage", func() (*sagemaker.DeleteModelPackageOutput, error) {
			return sm.DeleteModelPackage(background, &sagemaker.DeleteModelPackageInput{ModelPackageName: &arn})
		})
	}
	try("DeleteModelPackageGroup", remove)
}

func features() {
	request := &sagemaker.CreateFeatureGroupInput{FeatureGroupName: &name, RoleArn: &role,
		RecordIdentifierFeatureName: str("id"), EventTimeFeatureName: str("time"),
		OnlineStoreConfig: &types.OnlineStoreConfig{EnableOnlineStore: aws.Bool(true)},
		FeatureDefinitions: []types.FeatureDefinition{
			{FeatureName: str("id"), FeatureType: types.FeatureTypeString},
			{FeatureName: str("time"), FeatureType: types.FeatureTypeString},
			{FeatureName: str("distance"), FeatureType: types.FeatureTypeFractional}}}
	create := func() (*sagemaker.CreateFeatureGroupOutput, error) { return sm.CreateFeatureGroup(background, request) }
	try("CreateFeatureGroup", create)
	reject("CreateFeatureGroup again", "ResourceInUse", "", create)
	describe := func() (*sagemaker.DescribeFeatureGroupOutput, error) {
		return sm.DescribeFeatureGroup(background, &sagemaker.DescribeFeatureGroupInput{FeatureGroupName: &name})
	}
	wait("DescribeFeatureGroup until Created", describe, func(group *sagemaker.DescribeFeatureGroupOutput) bool {
		return group.FeatureGroupStatus == types.FeatureGroupStatusCreated
	})
	reject("DescribeFeatureGroup missing", "ResourceNotFound", "", func() (*sagemaker.DescribeFeatureGroupOutput, error) {
		return sm.DescribeFeatureGroup(background, &sagemaker.DescribeFeatureGroupInput{FeatureGroupName: str("none")})
	})
	try("DeleteFeatureGroup", func() (*sagemaker.DeleteFeatureGroupOutput, error) {
		return sm.DeleteFeatureGroup(background, &sagemaker.DeleteFeatureGroupInput{FeatureGroupName: &name})
	})
}
