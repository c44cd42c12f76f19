using System.Text;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Commands.Lab;

namespace Breakwater.Proxy.FunctionalTests.Machines;

/// <summary>
/// A test that boots a real machine: QEMU, a static busybox, and an image of <c>deployment/microvm/build.sh --user-data-key</c>, which
/// BREAKWATER_VM_IMAGE names. Without them it is skipped and says what is missing. <c>.ci/run</c> makes the image.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MachineFactAttribute : FactAttribute
{
    private const string Variable = "BREAKWATER_VM_IMAGE";

    public MachineFactAttribute() => Skip = Missing();

    /// <summary>The directory with kernel and initrd.</summary>
    public static string Image => Environment.GetEnvironmentVariable(Variable) ?? "";

    /// <summary>The program of which the machine's system is made.</summary>
    public static string? Busybox => Array.Find(["/bin/busybox", "/usr/bin/busybox"], IsStatic);

    private static string? Missing()
    {
        if (Image.Length == 0)
        {
            return $"{Variable} names no image of a machine: deployment/microvm/build.sh --user-data-key --no-images --out DIRECTORY.";
        }

        return BootFolder.Missing(Image) is { } files ? files
            : ProgramPath.Find("qemu-system-x86_64") is null
                ? "The program qemu-system-x86_64 is not installed (apt install qemu-system-x86): no machine is booted."
            : Busybox is null ? "There is no static busybox (apt install busybox-static): no machine is booted."
            : null;
    }

    /// <summary>A program that needs a loader names it at its beginning.</summary>
    private static bool IsStatic(string program)
    {
        if (!File.Exists(program))
        {
            return false;
        }

        using FileStream file = File.OpenRead(program);
        byte[] head = new byte[4096];
        int length = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        return !Encoding.Latin1.GetString(head, 0, length).Contains("/ld-", StringComparison.Ordinal);
    }
}
