namespace Breakwater.Proxy.Admin;

/// <summary>How ordinary HTTP stands; sizes in bytes, counts since the start.</summary>
/// <param name="Results">Requests by result.</param>
/// <param name="StoredUrls">URLs with stored answers.</param>
/// <param name="UsedBytes">What their bodies and heads take.</param>
/// <param name="QuotaBytes">What they may take.</param>
/// <param name="EvictedSlices">Slices of bodies that made room.</param>
internal sealed record HttpStatus(
    IReadOnlyList<ResultStatus> Results, long StoredUrls, long UsedBytes, long QuotaBytes, long EvictedSlices);
