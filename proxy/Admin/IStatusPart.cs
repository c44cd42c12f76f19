namespace Breakwater.Proxy.Admin;

/// <summary>Knows a part of the status.</summary>
internal interface IStatusPart
{
    /// <summary>Fills it in.</summary>
    ServerStatus AddTo(ServerStatus status);
}
