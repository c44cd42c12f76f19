namespace Breakwater.Mount.Tests;

/// <summary>A test of the boot image's init that needs its shell and programs. Without them it is skipped and says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BusyboxFactAttribute : FactAttribute
{
    public BusyboxFactAttribute()
    {
        if (Program is null)
        {
            Skip = "There is no busybox (apt install busybox-static): the boot image's init asks no metadata service.";
        }
    }

    /// <summary>Where it is; null: nowhere.</summary>
    public static string? Program => Array.Find(["/bin/busybox", "/usr/bin/busybox"], File.Exists);
}
