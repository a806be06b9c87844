# SPDX-License-Identifier: Apache-2.0
"""A user who may use S3, and a bucket: python s3_key.py URL BUCKET prints the user's key."""

import json
import sys

import boto3

POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
}


def main(url, bucket):
    where = {"endpoint_url": url, "region_name": "us-east-1"}
    iam = boto3.client("iam", **where)
    iam.create_user(UserName="verdict")
    key = iam.create_access_key(UserName="verdict")["AccessKey"]
    iam.put_user_policy(UserName="verdict", PolicyName="all", PolicyDocument=json.dumps(POLICY))
    boto3.client("s3", **where).create_bucket(Bucket=bucket)
    print(json.dumps({name: key[name] for name in ("AccessKeyId", "SecretAccessKey")}))


if __name__ == "__main__":
    main(*sys.argv[1:])
