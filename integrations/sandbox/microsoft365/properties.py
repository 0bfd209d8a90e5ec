"""The properties that `$select` may name, by kind of record: those that Graph documents, as far as anybody asks here.

A name that is none of them is refused, as the vendor does, and is not silently left out of every answer.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


USER = _names(
    """id accountEnabled assignedLicenses assignedPlans businessPhones city companyName country createdDateTime
    department displayName employeeId employeeType externalUserState givenName identities jobTitle
    lastPasswordChangeDateTime licenseAssignmentStates mail mailNickname mobilePhone officeLocation
    onPremisesDomainName onPremisesImmutableId onPremisesLastSyncDateTime onPremisesSamAccountName
    onPremisesSyncEnabled onPremisesUserPrincipalName otherMails passwordPolicies passwordProfile postalCode
    preferredLanguage proxyAddresses showInAddressList signInActivity signInSessionsValidFromDateTime state
    streetAddress surname usageLocation userPrincipalName userType"""
)
GROUP = _names(
    """id assignedLicenses classification createdDateTime deletedDateTime description displayName expirationDateTime
    groupTypes isAssignableToRole mail mailEnabled mailNickname membershipRule membershipRuleProcessingState
    onPremisesSyncEnabled proxyAddresses renewedDateTime securityEnabled securityIdentifier visibility"""
)
MEMBERSHIP = GROUP | {"roleTemplateId"}
DEVICE = _names(
    """id azureADDeviceId azureADRegistered complianceState deviceActionResults deviceEnrollmentType deviceName
    deviceRegistrationState emailAddress enrolledDateTime freeStorageSpaceInBytes isEncrypted isSupervised jailBroken
    lastSyncDateTime managedDeviceName managedDeviceOwnerType managementAgent manufacturer model notes operatingSystem
    osVersion physicalMemoryInBytes serialNumber totalStorageSpaceInBytes userDisplayName userId userPrincipalName
    wiFiMacAddress"""
)
ORGANIZATION = _names(
    """id businessPhones city country countryLetterCode createdDateTime defaultUsageLocation displayName
    onPremisesLastSyncDateTime onPremisesSyncEnabled postalCode preferredLanguage state street
    technicalNotificationMails tenantType verifiedDomains"""
)
DOMAIN = _names(
    """id authenticationType availabilityStatus isAdminManaged isDefault isInitial isRoot isVerified
    passwordNotificationWindowInDays passwordValidityPeriodInDays state supportedServices"""
)
SKU = _names(
    """id accountId accountName appliesTo capabilityStatus consumedUnits prepaidUnits servicePlans skuId skuPartNumber
    subscriptionIds"""
)
