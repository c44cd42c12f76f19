using System.Globalization;
using Breakwater.StoreCrash;

// child <store> <first number>      writes until it is killed
// run <store> <rounds> <seed>       the harness
switch (args)
{
    case ["child", string path, string first]:
        await CrashChild.RunAsync(path, int.Parse(first, CultureInfo.InvariantCulture));
        return 0;
    case ["run", string path, string rounds, string seed]:
        CrashHarness harness = new(path, int.Parse(seed, CultureInfo.InvariantCulture));
        CrashReport report = await harness.RunAsync(int.Parse(rounds, CultureInfo.InvariantCulture), Console.Out);
        return report.Failures == 0 ? 0 : 1;
    default:
        Console.Error.WriteLine("usage: child <store> <first number> | run <store> <rounds> <seed>");
        return 2;
}
