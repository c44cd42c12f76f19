namespace Breakwater.Proxy.Outcomes;

/// <summary>What the results mean for whoever counts them.</summary>
internal static class RequestResults
{
    extension(RequestResult result)
    {
        /// <summary>
        /// Was it answered without asking a Stratum 1 for it? The one definition of a hit: the gauge, SNMP, the page and <c>breakwater
        /// status</c> count by it.
        /// </summary>
        public bool IsHit => result
            is RequestResult.Hit or RequestResult.Joined or RequestResult.Held or RequestResult.Stale or RequestResult.Negative;

        /// <summary>
        /// Was a Stratum 1 or another server asked for it? Results that are neither this nor a hit say nothing about the cache: requests
        /// that were refused, that the proxy answered itself, or whose client left.
        /// </summary>
        public bool WasAskedFor => result
            is RequestResult.Miss or RequestResult.Revalidated or RequestResult.PassedThrough or RequestResult.Failed;

        /// <summary>Did the client get what it asked for, or part of it? All else are the proxy's own texts.</summary>
        public bool IsContent => result
            is not (RequestResult.Refused or RequestResult.Local or RequestResult.Failed or RequestResult.Negative);
    }
}
