namespace Breakwater.Laboratory.Client;

/// <summary>How an exchange can end badly, as the CernVM-FS client tells them apart.</summary>
internal enum Failure
{
    /// <summary>It did not.</summary>
    None,

    /// <summary>Any 5xx, 400, 404.</summary>
    ServerError,

    /// <summary>401, 403, 407, 410, 416, 304, 308.</summary>
    Refused,

    /// <summary>429.</summary>
    TooManyRequests,

    /// <summary>301, 302, 303, 307.</summary>
    Redirected,

    /// <summary>1xx.</summary>
    Informational,

    /// <summary>A body that is not what the URL says, a content coding, 204.</summary>
    WrongBody,

    /// <summary>A manifest or whitelist that is not right.</summary>
    WrongDocument,

    /// <summary>Reset, closed or cut.</summary>
    Broken,

    /// <summary>No byte for more than 5 s, or below 1,024 B/s over 5 s; the connect counts.</summary>
    TooSlow,

    /// <summary>Connection refused.</summary>
    NoConnection,

    /// <summary>Not HTTP.</summary>
    NotHttp,
}
