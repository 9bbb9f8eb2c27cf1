// Scenarios of the AWS SDK for JavaScript v3. The arguments are a folder with source.tar.gz and model.tar.gz, and a name.
import { readFileSync } from "node:fs";
import * as scaling from "@aws-sdk/client-application-auto-scaling";
import * as watch from "@aws-sdk/client-cloudwatch";
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as events from "@aws-sdk/client-eventbridge";
import * as iam from "@aws-sdk/client-iam";
import * as kms from "@aws-sdk/client-kms";
import * as s3 from "@aws-sdk/client-s3";
import * as sm from "@aws-sdk/client-sagemaker";
import * as store from "@aws-sdk/client-sagemaker-featurestore-runtime";
import * as runtime from "@aws-sdk/client-sagemaker-runtime";
import * as sts from "@aws-sdk/client-sts";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { attempt, begin, check, count, reject, sleep } from "./report.mjs";

const [files, name] = process.argv.slice(2);
const IMAGE = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3";
const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "sagemaker.amazonaws.com", AWS: "*" } }],
});
const sagemaker = new sm.SageMakerClient({});
const storage = new s3.S3Client({});
const identity = new sts.STSClient({});
const users = new iam.IAMClient({});
const send = (client, command) => () => client.send(command);
const quick = (client) => ({ client, minDelay: 1, maxDelay: 1, maxWaitTime: 180 });
let role, bucket;

async function account() {
  const caller = await attempt("GetCallerIdentity", send(identity, new sts.GetCallerIdentityCommand({})));
  bucket = `${name}-${caller.Account}`;
  const create = send(users, new iam.CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: TRUST }));
  role = (await attempt("CreateRole", create)).Role.Arn;
  await reject("CreateRole again", "EntityAlreadyExistsException", "", create);
  await attempt("role waiter", () => iam.waitUntilRoleExists(quick(users), { RoleName: name }));
  const session = { RoleArn: role, RoleSessionName: "js" };
  await attempt("AssumeRole", send(identity, new sts.AssumeRoleCommand(session)));

  const place = { LocationConstraint: process.env.AWS_REGION };
  const make = send(storage, new s3.CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: place }));
  await attempt("CreateBucket", make);
  await reject("CreateBucket again", "BucketAlreadyOwnedByYou", "", make);
  await attempt("bucket waiter", () => s3.waitUntilBucketExists(quick(storage), { Bucket: bucket }));
  for (const Key of ["source.tar.gz", "model.tar.gz"]) {
    const content = { Bucket: bucket, Key, Body: readFileSync(`${files}/${Key}`), ChecksumAlgorithm: "SHA256" };
    const put = await attempt("PutObject with a checksum", send(storage, new s3.PutObjectCommand(content)));
    check("checksum of the object", put.ChecksumSHA256, put);
  }
  const digest = "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=";
  const wrong = { Bucket: bucket, Key: "wrong", Body: "b", ChecksumSHA256: digest };
  await reject("PutObject with a wrong checksum", "BadDigest", "", send(storage, new s3.PutObjectCommand(wrong)));
  const missing = { Bucket: bucket, Key: "none" };
  await reject("GetObject missing", "NoSuchKey", "", send(storage, new s3.GetObjectCommand(missing)));
  await reject("HeadObject missing", "NotFound", "", send(storage, new s3.HeadObjectCommand(missing)));
  const url = await getSignedUrl(storage, new s3.GetObjectCommand({ Bucket: bucket, Key: "model.tar.gz" }));
  check("presigned URL", (await fetch(url)).status === 200, url);
  const target = await getSignedUrl(storage, new s3.PutObjectCommand({ Bucket: bucket, Key: "signed" }));
  check("presigned upload", (await fetch(target, { method: "PUT", body: "a" })).status === 200, target);

  const big = { Bucket: bucket, Key: "big" };
  const upload = await attempt("CreateMultipartUpload", send(storage, new s3.CreateMultipartUploadCommand(big)));
  const Parts = [];
  for (const PartNumber of [1, 2]) {
    const content = { ...big, UploadId: upload.UploadId, PartNumber, Body: Buffer.alloc(5 << 20) };
    const part = await attempt("UploadPart", send(storage, new s3.UploadPartCommand(content)));
    Parts.push({ PartNumber, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 });
  }
  const whole = { ...big, UploadId: upload.UploadId, MultipartUpload: { Parts } };
  await attempt("CompleteMultipartUpload", send(storage, new s3.CompleteMultipartUploadCommand(whole)));
  const pages = s3.paginateListObjectsV2({ client: storage, pageSize: 1 }, { Bucket: bucket });
  const keys = await count(pages, "Contents");
  check("ListObjectsV2 pages", keys === 4, keys);

  const secrets = new kms.KMSClient({});
  const key = await attempt("CreateKey", send(secrets, new kms.CreateKeyCommand({})));
  const text = { KeyId: key.KeyMetadata?.KeyId, Plaintext: Buffer.from("a") };
  const cipher = await attempt("Encrypt", send(secrets, new kms.EncryptCommand(text)));
  const back = { CiphertextBlob: cipher.CiphertextBlob };
  const plain = await attempt("Decrypt", send(secrets, new kms.DecryptCommand(back)));
  check("decrypted text", Buffer.from(plain.Plaintext ?? "").toString() === "a", plain);
  const none = new kms.DescribeKeyCommand({ KeyId: "alias/none" });
  await reject("DescribeKey missing", "NotFoundException", "", send(secrets, none));
  const rules = new events.EventBridgeClient({});
  const pattern = JSON.stringify({ source: ["aws.sagemaker"], "detail-type": ["SageMaker Training Job State Change"] });
  await attempt("PutRule", send(rules, new events.PutRuleCommand({ Name: name, EventPattern: pattern })));
  const nowhere = new events.DescribeRuleCommand({ Name: "none" });
  await reject("DescribeRule missing", "ResourceNotFoundException", "", send(rules, nowhere));
}

async function training() {
  const script = (program) => ({ sagemaker_program: program, sagemaker_submit_directory: `s3://${bucket}/source.tar.gz` });
  const request = {
    TrainingJobName: name,
    RoleArn: role,
    AlgorithmSpecification: { TrainingImage: IMAGE, TrainingInputMode: "File" },
    HyperParameters: script("train.py"),
    OutputDataConfig: { S3OutputPath: `s3://${bucket}/models` },
    ResourceConfig: { InstanceType: "ml.m5.large", InstanceCount: 1, VolumeSizeInGB: 1 },
    StoppingCondition: { MaxRuntimeInSeconds: 600 },
    Tags: [{ Key: "team", Value: "js" }],
  };
  const create = (change) => send(sagemaker, new sm.CreateTrainingJobCommand({ ...request, ...change }));
  const job = await attempt("CreateTrainingJob", create({}));
  await reject("CreateTrainingJob again", "ResourceInUse", name, create({}));
  const other = { TrainingJobName: `${name}-wrong` };
  for (const [what, words, change] of [
    ["wrong name", "trainingJobName", { TrainingJobName: "not_valid" }],
    ["role of nobody", "role", { ...other, RoleArn: "arn:aws:iam::123456789012:role/none" }],
    ["wrong instance type", "instanceType", { ...other, ResourceConfig: { ...request.ResourceConfig, InstanceType: "ml.none" } }],
    ["missing output", "outputDataConfig", { ...other, OutputDataConfig: undefined }],
  ])
    await reject(`CreateTrainingJob with a ${what}`, "ValidationException", words, create(change));
  const input = { TrainingJobName: name };
  await attempt("training waiter", () => sm.waitUntilTrainingJobCompletedOrStopped(quick(sagemaker), input));
  const described = await attempt("DescribeTrainingJob", send(sagemaker, new sm.DescribeTrainingJobCommand(input)));
  check("status of the job", described.TrainingJobStatus === "Completed", described.FailureReason);
  check("times are dates", described.TrainingEndTime instanceof Date, described.TrainingEndTime);
  const artifact = { Bucket: bucket, Key: `models/${name}/output/model.tar.gz` };
  await attempt("model artifact", send(storage, new s3.HeadObjectCommand(artifact)));
  const missing = new sm.DescribeTrainingJobCommand({ TrainingJobName: "none" });
  await reject("DescribeTrainingJob missing", "ValidationException", "not found", send(sagemaker, missing));
  const tagged = new sm.ListTagsCommand({ ResourceArn: job.TrainingJobArn });
  const tags = await attempt("ListTags", send(sagemaker, tagged));
  check("tag of the job", tags.Tags?.length === 1, tags.Tags);
  const failing = { TrainingJobName: `${name}-fails`, HyperParameters: script("fail.py") };
  await attempt("CreateTrainingJob that fails", create(failing));
  let failure;
  try {
    await sm.waitUntilTrainingJobCompletedOrStopped(quick(sagemaker), { TrainingJobName: failing.TrainingJobName });
  } catch (error) {
    failure = error;
  }
  check("waiter of a failed job", String(failure).includes("FAILURE"), String(failure));
  const jobs = await count(sm.paginateListTrainingJobs({ client: sagemaker, pageSize: 1 }, { NameContains: name }), "TrainingJobSummaries");
  check("ListTrainingJobs pages", jobs === 2, jobs);
  const client = new logs.CloudWatchLogsClient({});
  const filter = { logGroupName: "/aws/sagemaker/TrainingJobs", logStreamNamePrefix: `${name}/`, filterPattern: "trained" };
  const lines = await attempt("FilterLogEvents", send(client, new logs.FilterLogEventsCommand(filter)));
  check("line in the log", lines.events?.length === 1, lines.events);
  const group = new logs.DescribeLogStreamsCommand({ logGroupName: "none" });
  await reject("DescribeLogStreams missing", "ResourceNotFoundException", "", send(client, group));
}

async function endpoint() {
  for (const model of [name, `${name}-b`]) {
    const container = { Image: IMAGE, Environment: { NAME: model }, ModelDataUrl: `s3://${bucket}/model.tar.gz` };
    const request = { ModelName: model, ExecutionRoleArn: role, PrimaryContainer: container };
    await attempt("CreateModel", send(sagemaker, new sm.CreateModelCommand(request)));
    await attempt("CreateEndpointConfig", configure(model));
  }
  await reject("CreateEndpointConfig of a missing model", "ValidationException", "Could not find model", configure("none"));
  const input = { EndpointName: name };
  const create = send(sagemaker, new sm.CreateEndpointCommand({ ...input, EndpointConfigName: name }));
  await attempt("CreateEndpoint", create);
  await reject("CreateEndpoint again", "ValidationException", "already existing", create);
  await attempt("endpoint waiter", () => sm.waitUntilEndpointInService(quick(sagemaker), input));
  const client = new runtime.SageMakerRuntimeClient({});
  const body = { ...input, ContentType: "text/csv", Accept: "text/plain", CustomAttributes: "a" };
  const invoke = (Body, change) => send(client, new runtime.InvokeEndpointCommand({ ...body, Body, ...change }));
  const response = await attempt("InvokeEndpoint", invoke("1 2"));
  check("response", response.Body?.transformToString() === `1 2 ${name}`, response.Body);
  check("variant of the response", response.InvokedProductionVariant === "main", response);
  await reject("InvokeEndpoint with an error", "ModelError", "500", invoke("fail"));
  await reject("InvokeEndpoint missing", "ValidationError", "not found", invoke("1", { EndpointName: "none" }));
  const stream = new runtime.InvokeEndpointWithResponseStreamCommand({ ...body, ContentType: "text/stream", Body: "one two" });
  const streamed = await attempt("InvokeEndpointWithResponseStream", send(client, stream));
  const parts = [];
  for await (const event of streamed.Body ?? []) parts.push(Buffer.from(event.PayloadPart.Bytes).toString());
  check("parts of the stream", parts.join() === "one,two", parts);
  await autoscaling();
  const update = new sm.UpdateEndpointCommand({ ...input, EndpointConfigName: `${name}-b` });
  await attempt("UpdateEndpoint", send(sagemaker, update));
  await attempt("endpoint waiter after the update", () => sm.waitUntilEndpointInService(quick(sagemaker), input));
  const updated = await attempt("InvokeEndpoint after the update", invoke("1"));
  check("response after the update", updated.Body?.transformToString() === `1 ${name}-b`, updated.Body);
  await metrics();
  await attempt("DeleteEndpoint", send(sagemaker, new sm.DeleteEndpointCommand(input)));
  await attempt("deletion waiter", () => sm.waitUntilEndpointDeleted(quick(sagemaker), input));
  const describe = new sm.DescribeEndpointCommand(input);
  await reject("DescribeEndpoint missing", "ValidationException", "Could not find endpoint", send(sagemaker, describe));
}

function configure(model) {
  const variant = { VariantName: "main", ModelName: model, InstanceType: "ml.m5.large", InitialInstanceCount: 1 };
  return send(sagemaker, new sm.CreateEndpointConfigCommand({ EndpointConfigName: model, ProductionVariants: [variant] }));
}

async function metrics() {
  const client = new watch.CloudWatchClient({});
  const dimensions = { EndpointName: name, VariantName: "main" };
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  const Metric = { Namespace: "AWS/SageMaker", MetricName: "Invocations", Dimensions };
  const query = {
    StartTime: new Date(Date.now() - 3600e3),
    EndTime: new Date(Date.now() + 3600e3),
    MetricDataQueries: [{ Id: "calls", MetricStat: { Period: 60, Stat: "Sum", Metric } }],
  };
  await attempt("GetMetricData", send(client, new watch.GetMetricDataCommand(query)));
  const alarm = {
    ...{ AlarmName: name, Namespace: "AWS/SageMaker", MetricName: "Invocation5XXErrors", Statistic: "Sum", Period: 60 },
    ...{ EvaluationPeriods: 1, Threshold: 0, ComparisonOperator: "GreaterThanThreshold" },
  };
  await attempt("PutMetricAlarm", send(client, new watch.PutMetricAlarmCommand(alarm)));
  const wrong = new watch.PutMetricAlarmCommand({ ...alarm, Period: 7 });
  await reject("PutMetricAlarm with a wrong period", "ValidationError", "", send(client, wrong));
  const alarms = await count(watch.paginateDescribeAlarms({ client }, { AlarmNames: [name] }), "MetricAlarms");
  check("DescribeAlarms pages", alarms === 1, alarms);
}

async function autoscaling() {
  const client = new scaling.ApplicationAutoScalingClient({});
  const ScalableDimension = "sagemaker:variant:DesiredInstanceCount";
  const target = { ServiceNamespace: "sagemaker", ResourceId: `endpoint/${name}/variant/main`, ScalableDimension };
  const metric = { PredefinedMetricSpecification: { PredefinedMetricType: "SageMakerVariantInvocationsPerInstance" } };
  const policy = {
    ...{ ...target, PolicyName: name, PolicyType: "TargetTrackingScaling" },
    TargetTrackingScalingPolicyConfiguration: { TargetValue: 100, ...metric },
  };
  const put = send(client, new scaling.PutScalingPolicyCommand(policy));
  await reject("PutScalingPolicy without a target", "ObjectNotFoundException", "", put);
  const register = (change) =>
    send(client, new scaling.RegisterScalableTargetCommand({ ...target, MinCapacity: 1, MaxCapacity: 2, ...change }));
  await attempt("RegisterScalableTarget", register({}));
  const nowhere = register({ ResourceId: "endpoint/none/variant/main" });
  await reject("RegisterScalableTarget of a missing endpoint", "ValidationException", "", nowhere);
  const made = await attempt("PutScalingPolicy", put);
  check("alarms of the policy", made.Alarms?.length === 2, made.Alarms);
  const filter = { ServiceNamespace: "sagemaker", ResourceIds: [target.ResourceId] };
  const targets = await attempt("DescribeScalableTargets", send(client, new scaling.DescribeScalableTargetsCommand(filter)));
  check("one target", targets.ScalableTargets?.length === 1, targets);
  await attempt("DeregisterScalableTarget", send(client, new scaling.DeregisterScalableTargetCommand(target)));
}

async function registry() {
  const group = { ModelPackageGroupName: name };
  const create = send(sagemaker, new sm.CreateModelPackageGroupCommand(group));
  await attempt("CreateModelPackageGroup", create);
  await reject("CreateModelPackageGroup again", "ValidationException", "already exists", create);
  const types = { SupportedContentTypes: ["text/csv"], SupportedResponseMIMETypes: ["text/csv"] };
  const containers = { Containers: [{ Image: IMAGE, ModelDataUrl: `s3://${bucket}/model.tar.gz` }] };
  const version = { ...group, ModelApprovalStatus: "PendingManualApproval", InferenceSpecification: { ...types, ...containers } };
  const arns = [];
  for (let index = 0; index < 3; index++)
    arns.push((await attempt("CreateModelPackage", send(sagemaker, new sm.CreateModelPackageCommand(version)))).ModelPackageArn);
  const approval = new sm.UpdateModelPackageCommand({ ModelPackageArn: arns[2], ModelApprovalStatus: "Approved" });
  await attempt("UpdateModelPackage", send(sagemaker, approval));
  const describe = new sm.DescribeModelPackageCommand({ ModelPackageName: arns[2] });
  const found = await attempt("DescribeModelPackage", send(sagemaker, describe));
  check("approval and version", found.ModelApprovalStatus === "Approved" && found.ModelPackageVersion === 3, found);
  for (const [filter, number] of [[{}, 3], [{ ModelApprovalStatus: "Approved" }, 1]]) {
    const pages = sm.paginateListModelPackages({ client: sagemaker, pageSize: 1 }, { ...group, ...filter });
    const versions = await count(pages, "ModelPackageSummaryList");
    check("ListModelPackages pages", versions === number, versions);
  }
  const remove = send(sagemaker, new sm.DeleteModelPackageGroupCommand(group));
  await reject("DeleteModelPackageGroup with versions", "ConflictException", "", remove);
  for (const arn of arns)
    await attempt("DeleteModelPackage", send(sagemaker, new sm.DeleteModelPackageCommand({ ModelPackageName: arn })));
  await attempt("DeleteModelPackageGroup", remove);
}

async function features() {
  const definitions = { id: "String", time: "String", distance: "Fractional" };
  const group = { FeatureGroupName: name };
  const request = {
    ...{ ...group, RoleArn: role, RecordIdentifierFeatureName: "id", EventTimeFeatureName: "time" },
    FeatureDefinitions: Object.entries(definitions).map(([FeatureName, FeatureType]) => ({ FeatureName, FeatureType })),
    OnlineStoreConfig: { EnableOnlineStore: true },
    OfflineStoreConfig: { S3StorageConfig: { S3Uri: `s3://${bucket}/features` } },
  };
  const create = send(sagemaker, new sm.CreateFeatureGroupCommand(request));
  await attempt("CreateFeatureGroup", create);
  await reject("CreateFeatureGroup again", "ResourceInUse", "", create);
  let status;
  for (let tries = 0; tries < 100 && status !== "Created"; tries++, await sleep(0.2))
    status = (await sagemaker.send(new sm.DescribeFeatureGroupCommand(group))).FeatureGroupStatus;
  check("status of the feature group", status === "Created", status);
  const client = new store.SageMakerFeatureStoreRuntimeClient({});
  const record = (values) => Object.entries(values).map(([FeatureName, ValueAsString]) => ({ FeatureName, ValueAsString }));
  const put = (values) => send(client, new store.PutRecordCommand({ ...group, Record: record(values) }));
  await attempt("PutRecord", put({ id: "a", time: "2026-01-01T12:00:00Z", distance: "1.5" }));
  await reject("PutRecord of a missing feature", "ValidationError", "none", put({ id: "a", time: "2026-01-01T12:00:00Z", none: "1" }));
  const key = { RecordIdentifierValueAsString: "a" };
  const read = await attempt("GetRecord", send(client, new store.GetRecordCommand({ ...group, ...key })));
  check("record", read.Record?.find((value) => value.FeatureName === "distance")?.ValueAsString === "1.5", read);
  const many = { Identifiers: [{ ...group, RecordIdentifiersValueAsString: ["a", "b"] }] };
  const batch = await attempt("BatchGetRecord", send(client, new store.BatchGetRecordCommand(many)));
  check("records", batch.Records?.length === 1, batch);
  const gone = new store.DeleteRecordCommand({ ...group, ...key, EventTime: "2026-01-02T12:00:00Z" });
  await attempt("DeleteRecord", send(client, gone));
  const elsewhere = { FeatureGroupName: "none", Record: record({ id: "a" }) };
  const text = "can't find a FeatureGroup";
  await reject("PutRecord of a missing group", "ValidationError", text, send(client, new store.PutRecordCommand(elsewhere)));
  await attempt("DeleteFeatureGroup", send(sagemaker, new sm.DeleteFeatureGroupCommand(group)));
}

async function errors() {
  const [client, invalid] = [new logs.CloudWatchLogsClient({}), "ValidationException"];
  const missing = { Bucket: `${name}-none` };
  const arn = "arn:aws:sagemaker:eu-north-1:123456789012:model-package/none/1";
  await attempt("PutObject", send(storage, new s3.PutObjectCommand({ Bucket: bucket, Key: "wide", Body: "a" })));
  for (const [code, words, target, command] of [
    [invalid, "NextToken", sagemaker, new sm.ListModelsCommand({ NextToken: "none" })],
    [invalid, "maxResults", sagemaker, new sm.ListModelsCommand({ MaxResults: 1000 })],
    [invalid, "sortBy", sagemaker, new sm.ListTrainingJobsCommand({ SortBy: "None" })],
    [invalid, "modelName", sagemaker, new sm.CreateModelCommand({})],
    [invalid, "Could not find model", sagemaker, new sm.DeleteModelCommand({ ModelName: "none" })],
    [invalid, "not found", sagemaker, new sm.StopTrainingJobCommand({ TrainingJobName: "none" })],
    [invalid, "does not exist", sagemaker, new sm.DescribeModelPackageCommand({ ModelPackageName: arn })],
    ["ResourceNotFound", "", sagemaker, new sm.DescribePipelineCommand({ PipelineName: "none" })],
    ["ResourceNotFound", "", sagemaker, new sm.DescribeExperimentCommand({ ExperimentName: "none" })],
    ["InvalidParameterException", "", client, new logs.PutRetentionPolicyCommand({ logGroupName: "a", retentionInDays: 8 })],
    ["ResourceNotFoundException", "", client, new logs.GetQueryResultsCommand({ queryId: "none" })],
    ["InvalidBucketName", "", storage, new s3.CreateBucketCommand({ Bucket: "Upper_case" })],
    ["NoSuchBucket", "", storage, new s3.ListObjectsV2Command(missing)],
    ["NoSuchBucketPolicy", "", storage, new s3.GetBucketPolicyCommand({ Bucket: bucket })],
    ["BucketNotEmpty", "", storage, new s3.DeleteBucketCommand({ Bucket: bucket })],
    ["InvalidRange", "", storage, new s3.GetObjectCommand({ Bucket: bucket, Key: "wide", Range: "bytes=100-" })],
    ["PreconditionFailed", "", storage, new s3.PutObjectCommand({ Bucket: bucket, Key: "wide", IfNoneMatch: "*" })],
  ]) {
    await reject(command.constructor.name.replace("Command", ""), code, words, send(target, command));
  }
  const names = { Bucket: bucket, Key: "wide", ObjectAttributes: ["ETag", "Checksum", "ObjectSize"] };
  const attributes = await attempt("GetObjectAttributes", send(storage, new s3.GetObjectAttributesCommand(names)));
  check("attributes", attributes.ObjectSize === 1 && attributes.Checksum, attributes);
}

for (const scenario of [account, training, endpoint, registry, features, errors]) {
  begin(scenario.name);
  await scenario().catch((error) => check("the rest of the scenario", false, String(error)));
}
